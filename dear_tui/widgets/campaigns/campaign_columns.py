"""The columns of the list of campaigns: what each tells of a campaign, and how it sorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.content import Content

from dear_tui.access.description import interval_text
from dear_tui.text.times import start_to_end
from dear_tui.widgets.common.status_text import MUTED, STATES, asked_text, name_of, progress_text, state_text
from engine.units import duration, percent, short_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.store import Action, CampaignStatus
    from engine.store.read.fault_results import FaultFindings

WIDEST_NAME = 32
MARK = "◆"


@dataclass(frozen=True)
class Row:
    """All that is shown of one campaign."""

    status: CampaignStatus
    place: int | None = None
    """in the queue, 1 = next"""
    asked: Action | None = None
    """and not obeyed yet"""
    found: FaultFindings | None = None
    """what its faults did so far; None before that is known"""
    is_marked: bool = False
    step: str = ""
    """what is done before its first pair or after its last one"""
    study: str = ""
    """that it is a member of"""


@dataclass(frozen=True)
class CampaignColumn:
    """One column."""

    title: str
    text: Callable[[Row], str]
    by: Callable[[Row], Any]
    """what rows are sorted by; None is always last"""
    spare: int = 0
    """narrow screens drop the most spare columns first"""
    left: bool = False
    style: str | Callable[[Row], str] = ""
    falls: bool = False
    """whether the greatest is first, before the direction is turned"""
    most: int | None = None
    """columns of the terminal at most"""
    is_rare: bool = False
    """whether it is left out where it would be empty"""


@dataclass(frozen=True)
class Order:
    """By which column campaigns are sorted; by none they stand in the order of the queue, then newest first."""

    column: int | None = None
    is_turned: bool = False

    def next(self) -> Order:
        """By the next column, and after the last one by none."""
        following = 0 if self.column is None else self.column + 1
        return Order(following if following < len(COLUMNS) else None)

    def turned(self) -> Order:
        """The other way round."""
        return Order(self.column, not self.is_turned)

    @property
    def sign(self) -> str:
        """Beside the column's title."""
        return "" if self.column is None else "▼" if COLUMNS[self.column].falls != self.is_turned else "▲"

    def sorted(self, rows: Sequence[Row]) -> list[Row]:
        """The rows in this order; those of which it is not known come last, whichever way round."""
        if self.column is None:
            return list(reversed(rows)) if self.is_turned else list(rows)
        column = COLUMNS[self.column]
        known = [row for row in rows if column.by(row) is not None]
        unknown = [row for row in rows if column.by(row) is None]
        return sorted(known, key=column.by, reverse=column.falls != self.is_turned) + unknown


def _state(row: Row) -> str:
    text = (asked_text(row.asked) if row.asked else state_text(row.status, row.place)).plain
    done = 0 < row.status.pairs_done < row.status.pairs and row.status.state != "queued"
    return f"{text} {percent(row.status.pairs_done, row.status.pairs)}" if done else text


def _state_style(row: Row) -> str:
    return "bold $text-warning" if row.asked else f"bold {STATES[row.status.state][1]}"


def _pair_rate(row: Row) -> float | None:
    if row.found is not None:
        return row.found.pair_rate
    return row.status.critical / done if (done := row.status.count()) else None


def _seconds(row: Row) -> float | None:
    """From the first start to the end, or the time that is left."""
    return row.status.eta_s if row.status.state == "running" else start_to_end(row.status)


def _time(row: Row) -> str:
    seconds = _seconds(row)
    return "" if seconds is None else f"{'ETA ' if row.status.state == 'running' else ''}{duration(seconds)}"


def _costly(row: Row) -> int | None:
    return row.found.costly.faults if row.found and row.found.costly else None


def _known(count: int) -> str:
    """Of faults or images; of a campaign that was queued by its config alone neither is known."""
    return short_count(count) if count else "?"


def _interval(row: Row) -> str:
    return interval_text(row.found.critical) if row.found else ""


COLUMNS = (
    CampaignColumn("id", lambda row: f"#{row.status.id}", lambda row: row.status.id, style=MUTED, falls=True),
    CampaignColumn("name", lambda row: name_of(row.status), lambda row: row.status.name.lower(), left=True,
                   style="bold", most=WIDEST_NAME),
    CampaignColumn("study", lambda row: row.study, lambda row: row.study.lower() or None, spare=6, left=True,
                   style=MUTED, most=20, is_rare=True),
    CampaignColumn("state", _state, lambda row: list(STATES).index(row.status.state), left=True, style=_state_style),
    CampaignColumn("network", lambda row: row.status.network, lambda row: row.status.network, spare=7, left=True,
                   style=MUTED, most=16),
    CampaignColumn("data set", lambda row: row.status.dataset, lambda row: row.status.dataset, spare=8, left=True,
                   style=MUTED, most=14),
    CampaignColumn("images", lambda row: f"{row.status.select} {_known(row.status.images)}",
                   lambda row: row.status.images, spare=6, style=MUTED, falls=True, most=20),
    CampaignColumn("faults", lambda row: _known(row.status.faults), lambda row: row.status.faults, spare=5,
                   style=MUTED, falls=True),
    CampaignColumn("critical", lambda row: "" if (rate := _pair_rate(row)) is None else percent(rate, 1), _pair_rate,
                   style="$text-class-critical", falls=True),
    CampaignColumn("crit. faults", lambda row: f"{row.found.critical.faults:,}" if row.found else "",
                   lambda row: row.found.critical.faults if row.found else None, spare=2, falls=True,
                   style="$text-class-critical"),
    CampaignColumn("of faults", _interval, lambda row: row.found.critical.share.low
                   if row.found and row.found.critical.share else None, spare=9, style=MUTED, falls=True),
    CampaignColumn("lower acc.", lambda row: "" if (costly := _costly(row)) is None else f"{costly:,}", _costly,
                   spare=1, falls=True),
    CampaignColumn("time", _time, _seconds, spare=3, style=MUTED),
)  # fmt: skip
"""From left to right; `critical` is of pairs, `lower acc.` counts the faults that lower the accuracy."""


def chosen_text(status: CampaignStatus, step: str, width: int) -> Content:
    """What the list has no column for, in a line: why it failed, what is being done, or how far it is."""
    if status.error:
        return Content.styled(status.error.splitlines()[0], "$text-error").truncate(width, ellipsis=True)
    if step:
        return Content(step).truncate(width, ellipsis=True)
    return progress_text(status, width)


def in_order(campaigns: Sequence[CampaignStatus], waiting: Sequence[int]) -> list[CampaignStatus]:
    """Running ones, the queue in its order (by number before that is known), the others as they came."""
    places = {campaign: place for place, campaign in enumerate(waiting)}

    def group(status: CampaignStatus) -> tuple[int, int, int]:
        if status.state == "running":
            return 0, 0, 0
        waits = status.state == "queued" or status.id in places
        return (1, places.get(status.id, len(places)), status.id) if waits else (2, 0, 0)

    return sorted(campaigns, key=group)


def matches(status: CampaignStatus, words: str, study: str = "") -> bool:
    """Whether each of the words is part of what is known of a campaign, its study included."""
    facts = status.name, status.state, status.network, status.dataset, status.select, status.method, study
    known = f"#{status.id} {' '.join(facts)}"
    return all(word in known.lower() for word in words.lower().split())
