"""What the app tells its user of campaigns: which have ended since the last look, and which go on without it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.units import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.notifications import Notification

    from dear_tui.access.store_location import Snapshot
    from engine.store import CampaignStatus

MOST_TOLD = 3
"""notices on the screen at once: more would cover what they are about"""

GIVES_WAY = ("information", "warning", "error")
"""which leaves first"""


@dataclass(frozen=True)
class Notice:
    """One line for the user."""

    text: str
    severity: Literal["information", "warning", "error"] = "information"


def changed(before: Snapshot, after: Snapshot) -> Iterator[CampaignStatus]:
    """Campaigns that are in another state than at the reading before; the first reading is no news."""
    known = {status.id: status.state for status in before.campaigns or ()}
    for status in after.campaigns or ():
        if known.get(status.id) not in (None, status.state):
            yield status


def notice_of(status: CampaignStatus, outcome: str = "") -> Notice | None:
    """What there is to say of a campaign that has come to its state; None where that is no news.

    Args:
        status: of the campaign.
        outcome: what it has found, in words, where it is finished.
    """
    campaign = f"Campaign {status.id} ({status.name})"
    reason = status.error.splitlines()[0] if status.error else "1 lists it"
    if status.state == "finished":
        return Notice(f"{campaign} is finished: {outcome}.")
    if status.state == "failed":
        return Notice(f"{campaign} failed: {reason}", "error")
    if status.state == "paused" and status.error:  # what the user paused is no news
        return Notice(f"{campaign} waits: {reason}", "warning")
    return None


def outdated(told: Sequence[Notification], new: Notification) -> list[Notification]:
    """Which notices leave the screen for a new one: what says the same of an earlier moment, then what has no room.

    Errors leave last.
    """
    same = [one for one in told if (_kind(one.message), one.severity) == (_kind(new.message), new.severity)]
    others = [one for one in told if one not in same]
    others.sort(key=lambda one: (GIVES_WAY.index(one.severity), one.raised_at))
    return same + others[: max(len(others) + 1 - MOST_TOLD, 0)]


def _kind(sentence: str) -> str:
    """The sentence without its numbers, but the first, which says what it is about."""
    about, *others = re.split(r"(?<=\d)(?!\d)", sentence, maxsplit=1)
    return about + re.sub(r"\d+", "#", "".join(others))


def farewell(snapshot: Snapshot) -> str:
    """What to say to who leaves: a line for each campaign that goes on; empty when none does."""
    return "\n".join(
        f"Campaign {status.id} ({status.name}) goes on in its own process, "
        f"{percent(status.pairs_done, status.pairs)} done; dear-tui shows it again."
        for status in snapshot.campaigns or ()
        if status.state == "running"
    )


def desktop_sequence(text: str) -> str:
    """OSC 9, which many terminals show as a notification of the desktop; control characters would end it."""
    return f"\x1b]9;{''.join(character for character in text if character.isprintable())}\x07"
