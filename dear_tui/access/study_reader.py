"""The members of a study, as a store has them: each finished one is read once, and a few at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from engine.errors import DearError, UnreachableError
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.analysis.study import MemberResults
    from engine.store import CampaignStatus
    from engine.store.read.reading import StoreReader

READING_SECONDS = 0.5
"""how long members are read before those that were are shown"""

UNREAD = "to be read"
"""state of a finished member whose results are not read yet"""


@dataclass(frozen=True)
class StudyMembers:
    """A study as far as it is read."""

    name: str
    """empty: they are campaigns that were marked"""
    members: tuple[MemberResults, ...]
    """in the order in which they were queued"""
    left: int
    """finished ones that are not read yet"""


@dataclass(frozen=True)
class Membership:
    """What a campaign says of its study."""

    study: str
    """empty: it is a member of none"""
    factors: Mapping[str, Any] = field(default_factory=dict)


def membership_of(store: StoreReader, campaign: int) -> Membership:
    """What a campaign says; one whose description is damaged is a member of none."""
    with suppress(UnreachableError):
        description = store.description(campaign)
        return Membership(str(description.get("study") or ""), dict(description.get("factors") or {}))
    return Membership("")


class Memberships:
    """Which study each campaign is a member of: that never changes, so each is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Membership] = {}

    def of(self, store: StoreReader, status: CampaignStatus) -> Membership:
        """What a campaign says of its study."""
        key = status.id, status.created
        if key not in self._known:
            self._known[key] = membership_of(store, status.id)
        return self._known[key]


class StudyReader:
    """Keeps what was read of a store's finished campaigns."""

    def __init__(self) -> None:
        self._memberships = Memberships()
        self._read: dict[tuple[int, str], MemberResults] = {}

    def read(self, store: StoreReader, campaign: int) -> StudyMembers | None:
        """The members of a campaign's study, as many as are read in a moment; None where it is of none.

        Raises:
            DearError: the store cannot be read.
        """
        statuses = sorted(store.campaigns(), key=lambda status: status.id)
        belongs = {status.id: self._memberships.of(store, status) for status in statuses}
        name = belongs[campaign].study if campaign in belongs else ""
        if not name:
            return None
        members = [(status, belongs[status.id].factors) for status in statuses if belongs[status.id].study == name]
        return self._side_by_side(store, name, members)

    def read_marked(self, store: StoreReader, campaigns: tuple[int, ...]) -> StudyMembers:
        """Some campaigns side by side, with what differs in their configs.

        Raises:
            DearError: the store cannot be read.
        """
        from engine.analysis.study import what_differs

        statuses = [status for status in reversed(store.campaigns()) if status.id in campaigns]
        factors = what_differs([_config(store, status.id) for status in statuses]) if statuses else []
        return self._side_by_side(store, "", list(zip(statuses, factors, strict=True)))

    def _side_by_side(
        self, store: StoreReader, name: str, campaigns: Sequence[tuple[CampaignStatus, Mapping[str, Any]]]
    ) -> StudyMembers:
        from engine.analysis.study import MemberResults

        until, left, members = None, 0, []
        for status, factors in campaigns:
            if status.state != "finished":
                members.append(MemberResults(factors, status.id, status.state))
                continue
            key = status.id, status.created
            if key not in self._read and (until is None or monotonic() < until):
                until = until or monotonic() + READING_SECONDS
                self._read[key] = _results(store, status.id)
            left += key not in self._read
            known = self._read.get(key) or MemberResults({}, status.id, UNREAD)
            members.append(replace(known, factors=factors))
        return StudyMembers(printable_line(name), tuple(members), left)


def _config(store: StoreReader, campaign: int) -> dict[str, Any]:
    """Of a campaign; of one whose description is damaged nothing is known."""
    with suppress(UnreachableError):
        return dict(store.description(campaign)["config"])
    return {}


def _results(store: StoreReader, campaign: int) -> MemberResults:
    """Of a finished campaign; one whose files are damaged has no results, and the others do."""
    from engine.analysis.study import MemberResults, of_campaign

    try:
        return of_campaign({}, store.summary(campaign), store.description(campaign))
    except DearError:
        return MemberResults({}, campaign, "damaged")
