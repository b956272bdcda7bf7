"""The list of campaigns: what runs, what waits in its order, then what was, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dear_tui.human import percent, short_count
from dear_tui.widgets.status_text import (
    MUTED,
    asked_text,
    counts_text,
    name_text,
    progress_text,
    spread,
    state_text,
    workload_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Region

    from engine.store import Action, CampaignStatus

LINES = 3
STATE_WIDTH = 12
CURSOR, NO_CURSOR = ("▌", "$primary"), (" ", "")
MARK, NO_MARK = ("◆", "bold $text-warning"), (" ", "")


@dataclass(frozen=True)
class Row:
    """All that is shown of one campaign."""

    status: CampaignStatus
    place: int | None = None
    """in the queue, 1 = next"""
    asked: Action | None = None
    """and not obeyed yet"""
    found: int | None = None
    """critical faults so far; None before they are known"""
    is_marked: bool = False


def in_order(campaigns: Sequence[CampaignStatus], waiting: Sequence[int]) -> list[CampaignStatus]:
    """Running ones, those of the queue in its order, then the others as they came."""
    places = {campaign: place for place, campaign in enumerate(waiting)}

    def group(status: CampaignStatus) -> tuple[int, int]:
        if status.state == "running":
            return 0, 0
        return (1, places[status.id]) if status.id in places else (2, 0)

    return sorted(campaigns, key=group)


def matches(status: CampaignStatus, words: str) -> bool:
    """Whether each of the words is part of what is known of a campaign."""
    known = (
        f"#{status.id} {status.name} {status.state} {status.network} {status.dataset} {status.select} {status.method}"
    )
    return all(word in known.lower() for word in words.lower().split())


class CampaignList(OptionList):
    """Three lines a campaign."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open", tooltip="watch it on the live screen"),
        Binding("j", "cursor_down", "down", show=False, tooltip="the next campaign"),
        Binding("k", "cursor_up", "up", show=False, tooltip="the one before"),
        Binding("g", "first", "first", show=False, tooltip="the first of the list"),
        Binding("G", "last", "last", show=False, tooltip="the last of the list"),
    ]
    DEFAULT_CSS = """
    CampaignList {
        display: none; height: 1fr; width: 1fr; padding: 0 1; background: transparent;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        &, &:focus { border: none; }
        & > .option-list--option-highlighted, &:focus > .option-list--option-highlighted {
            color: $foreground; background: $surface-lighten-1; text-style: none;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Row, ...] = ()
        self._chosen: int | None = None
        self._shown: dict[str, tuple[Row, int, bool]] = {}
        self._holds_repaint = False

    def show(self, rows: Sequence[Row], chosen: int | None) -> None:
        """Bring the lines up to date; the chosen campaign stays chosen, whatever is new above it."""
        self._rows, self._chosen = tuple(rows), chosen
        width = self.scrollable_content_region.width
        before, place = self._shown, self.highlighted or 0
        self._shown = {str(row.status.id): (row, width, row.status.id == chosen) for row in rows}
        if list(before) != list(self._shown):
            self.clear_options()
            self.add_options([Option(_lines(*facts), id=name) for name, facts in self._shown.items()])
            is_there = str(chosen) in self._shown
            self.highlighted = self.get_option_index(str(chosen)) if is_there else min(place, len(rows) - 1)
            return
        for index, (name, facts) in enumerate(self._shown.items()):
            if facts != before[name]:
                self._replace_lines(index, _lines(*facts))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Repaint, unless held."""
        if self._holds_repaint:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _replace_lines(self, index: int, lines: Content) -> None:
        """Repaint these lines alone, where OptionList would repaint all: a slow link feels the difference."""
        self._holds_repaint = True
        self.replace_option_prompt_at_index(index, lines)
        self._holds_repaint = False
        self.refresh_lines(index * LINES, LINES)

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self.show(self._rows, self._chosen)


def _lines(row: Row, width: int, chosen: bool) -> Content:
    """One campaign; the cursor is a sign too, because a background is not seen in every terminal."""
    status, cursor = row.status, CURSOR if chosen else NO_CURSOR
    inner = max(width - 2, 1)
    state = asked_text(row.asked) if row.asked else state_text(status, row.place)
    facts = workload_text(status) + Content("  ") + state.pad_right(max(STATE_WIDTH - state.cell_length, 0))
    lines = [
        (row.is_marked, spread(name_text(status), facts, inner)),
        (False, progress_text(status, inner)),
        (False, _last_line(row, inner)),
    ]
    return Content("\n").join(
        Content.assemble(cursor, MARK if is_marked else NO_MARK, line) for is_marked, line in lines
    )


def _last_line(row: Row, width: int) -> Content:
    status = row.status
    if status.error:
        return Content.styled(status.error.splitlines()[0], "$text-error").truncate(width, ellipsis=True)
    size = f"{short_count(status.faults)} faults × {short_count(status.images)} images"
    found = Content.styled(size, MUTED)
    if row.found is not None and status.pairs_done:
        found = Content.assemble((f"{row.found:,} critical", "$text-success"), (f" of {size}", MUTED))
    if not (done := status.masked + status.non_critical + status.critical):
        return found
    counts = counts_text(status, shares=False)
    if found.cell_length + counts.cell_length >= width:
        counts = Content.styled(f"{percent(status.critical, done)} of pairs", MUTED)
    return spread(found, counts, width)
