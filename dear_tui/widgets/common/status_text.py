"""One campaign in words and a bar, for the list and for the live header."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from dear_tui.access.commands import DOING
from dear_tui.text.size import size_of
from dear_tui.text.times import start_to_end
from engine.severity import NOT_RUN_NAMES
from engine.units import duration, percent, rate, short_count

if TYPE_CHECKING:
    from engine.store import Action, CampaignStatus

MUTED = "$foreground-muted"
STATES = {
    "queued": ("○", MUTED),
    "running": ("●", "$text-primary"),
    "paused": ("‖", "$text-warning"),
    "finished": ("✓", "$text-success"),
    "failed": ("✗", "$text-error"),
    "cancelled": ("–", MUTED),
}
LEAST_BAR = 8


def state_text(status: CampaignStatus, place: int | None = None) -> Content:
    """The state with its sign, and the place in the queue, 1 = next."""
    sign, style = STATES[status.state]
    return Content.styled(f"{sign} {status.state}{'' if place is None else f' {place}'}", f"bold {style}")


def asked_text(action: Action) -> Content:
    """What is asked of a campaign and not done yet."""
    return Content.styled(f"◌ {DOING[action]}", "bold $text-warning")


def name_of(status: CampaignStatus) -> str:
    """The name, which is one line whatever is in it."""
    return "".join(character if character.isprintable() else " " for character in status.name)


def name_text(status: CampaignStatus) -> Content:
    """Id and name."""
    return Content.assemble((f"#{status.id} ", MUTED), (name_of(status), "bold"))


def workload_text(status: CampaignStatus) -> Content:
    """Network, data set and selection."""
    return Content.styled(f"{status.network} · {status.dataset} · {status.select}", MUTED)


def size_text(status: CampaignStatus) -> Content:
    """How many faults and images a campaign has."""
    return Content.styled(size_of(status), MUTED)


def progress_text(status: CampaignStatus, width: int) -> Content:
    """Bar, share, pairs, and rate with ETA or the time it took; the bar fills the width."""
    share = status.pairs_done / max(status.pairs, 1)
    words = f" {math.floor(share * 1000) / 10:5.1f} %  "
    words += f"{short_count(status.pairs_done)} / {short_count(status.pairs)} pairs".ljust(21)
    words += _pace(status).ljust(20)
    return bar(share, max(width - len(words), LEAST_BAR)) + Content(words)


def counts_line(status: CampaignStatus, width: int) -> Content:
    """Pairs per severity, with their shares where a line of pairs that were not run, too, leaves room for them."""
    with_shares = counts_text(status, shares=True)
    is_too_long = (status.screened or status.dropped) and with_shares.cell_length > width
    return counts_text(status, shares=False) if is_too_long else with_shares


def audit_text(status: CampaignStatus) -> Content:
    """The screened pairs that were run all the same, and the misses among them; empty where there was no audit."""
    if not status.audited:
        return Content("")
    misses = (f"{status.missed:,} missed", "bold $text-class-critical" if status.missed else MUTED)
    return Content.assemble((f" · {short_count(status.audited)} audited, ", MUTED), misses)


def counts_text(status: CampaignStatus, shares: bool) -> Content:
    """Pairs per severity, over what is stored so far; and those that were not run, where there are some."""
    total = status.count()
    parts = []
    for name, count, style in (
        ("masked", status.masked, "$text-class-masked"),
        ("non-critical", status.non_critical, "$text-class-non-critical"),
        ("critical", status.critical, "$text-class-critical"),
        *((name, count, MUTED) for name in NOT_RUN_NAMES if (count := getattr(status, name))),
    ):
        share = f"  {percent(count, total)}" if shares and total else ""
        parts.append(Content.assemble((name, style), f" {short_count(count) + share:<{13 if shares else 5}}"))
    return Content("  ").join(parts)


def bar(share: float, width: int) -> Content:
    """A bar in half cells; the rest of it is thin, so that it reads without colour."""
    halves = round(min(max(share, 0), 1) * width * 2)
    full = "━" * (halves // 2) + "╸" * (halves % 2)
    return Content.assemble((full, "$primary"), ("─" * (width - len(full)), MUTED))


def spread(left: Content, right: Content, width: int) -> Content:
    """Two texts at the two edges of one line; the left one gives way."""
    room = max(width - right.cell_length - 1, 1)
    return left.truncate(room, ellipsis=True).pad_right(room - min(left.cell_length, room) + 1) + right


def _pace(status: CampaignStatus) -> str:
    if status.state == "running" and status.rate is not None:
        eta = "" if status.eta_s is None else f"ETA {duration(status.eta_s)}"
        return f"{rate(status.rate):<7} {eta}"
    return took(status)


def took(status: CampaignStatus) -> str:
    """How long a finished campaign took, from its first start to its end; empty where a clock was set back since."""
    seconds = start_to_end(status)
    return "" if seconds is None else f"in {duration(seconds)}"
