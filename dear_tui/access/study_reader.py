"""The members of a study, as a store has them: each finished one is read once, and a few at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from engine.errors import DearError, UnreachableError
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        from engine.analysis.study import MemberResults

        statuses = sorted(store.campaigns(), key=lambda status: status.id)
        belongs = {status.id: self._memberships.of(store, status) for status in statuses}
        name = belongs[campaign].study if campaign in belongs else ""
        if not name:
            return None
        until, left, members = None, 0, []
        for status in statuses:
            membership = belongs[status.id]
            if membership.study != name:
                continue
            if status.state != "finished":
                members.append(MemberResults(membership.factors, status.id, status.state))
                continue
            key = status.id, status.created
            if key not in self._read and (until is None or monotonic() < until):
                until = until or monotonic() + READING_SECONDS
                self._read[key] = _results(store, status.id, membership)
            left += key not in self._read
            members.append(self._read.get(key) or MemberResults(membership.factors, status.id, UNREAD))
        return StudyMembers(printable_line(name), tuple(members), left)


def _results(store: StoreReader, campaign: int, membership: Membership) -> MemberResults:
    """Of a finished campaign; one whose files are damaged has no results, and the others do."""
    from engine.analysis.study import MemberResults, of_campaign

    try:
        return of_campaign(membership.factors, store.summary(campaign), store.description(campaign))
    except DearError:
        return MemberResults(membership.factors, campaign, "damaged")
