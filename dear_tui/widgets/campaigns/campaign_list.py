"""The list of campaigns: what runs, what waits in its order, then what was, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.row_list import RowList, Rows
from dear_tui.widgets.common.status_text import (
    MUTED,
    NOT_PREPARED,
    asked_text,
    counts_text,
    name_text,
    progress_text,
    spread,
    state_text,
    workload_text,
)
from engine.units import percent, short_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.store import Action, CampaignStatus

STATE_WIDTH = 12
MARK = ("◆", "bold $text-warning")


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
    step: str = ""
    """what is done before its first pair or after its last one"""
    study: str = ""
    """that it is a member of"""


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


class CampaignList(RowList):
    """Three lines a campaign."""

    ROW_LINES = 3
    HEADING_LINES = 0
    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "campaign-list",
        Binding("enter", "open", "open", tooltip="watch it on the live screen"),
    )
    DEFAULT_CSS = """
    CampaignList { display: none; width: 1fr; padding: 0 1; }
    """

    class Opened(Message):
        """The campaign under the cursor is to be watched."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Row, ...] = ()
        self._chosen: int | None = None

    def show_campaigns(self, rows: Sequence[Row], chosen: int | None) -> None:
        """Bring the lines up to date; the chosen campaign stays chosen, whatever is new above it."""
        before, self._shown = self._shown, tuple(rows)
        ids = [row.status.id for row in rows]
        if ids != [row.status.id for row in before]:
            self.show(Rows(Content(""), ids, self._text))
        else:
            for place, (old, new) in enumerate(zip(before, rows, strict=True)):
                if old != new:
                    self.paint_again(place)
        if chosen != self._chosen:  # else the cursor is ahead of what is chosen, by a key whose message is on its way
            self._chosen = chosen
            self.go_to(chosen)

    def action_open(self) -> None:
        """Watch the chosen one."""
        self.post_message(self.Opened())

    def _text(self, place: int) -> Content:
        """One campaign, beside the sign of the cursor."""
        row, width = self._shown[place], max(self.scrollable_content_region.width - 2, 1)
        status = row.status
        state = asked_text(row.asked) if row.asked else state_text(status, row.place)
        facts = workload_text(status) + Content("  ") + state.pad_right(max(STATE_WIDTH - state.cell_length, 0))
        name = name_text(status)
        if row.study:
            name += Content.styled(f"  study {row.study}", MUTED)
        lines = [spread(name, facts, width), progress_text(status, width), _last_line(row, width)]
        mark = Content.assemble(MARK) if row.is_marked else Content(" ")
        return Content("\n").join([mark + lines[0], *(Content(" ") + line for line in lines[1:])])


def _last_line(row: Row, width: int) -> Content:
    status = row.status
    if status.error:
        return Content.styled(status.error.splitlines()[0], "$text-error").truncate(width, ellipsis=True)
    if row.step:
        return Content(row.step).truncate(width, ellipsis=True)
    of_drawn = f" of {short_count(status.drawn or 0)}" if status.has_stopped_early else ""
    size = f"{short_count(status.faults)}{of_drawn} faults × {short_count(status.images)} images"
    size = size if status.is_prepared else NOT_PREPARED
    found = Content.styled(size, MUTED)
    if row.found is not None and status.pairs_done:
        found = Content.assemble((f"{row.found:,} critical", "$text-class-critical"), (f" of {size}", MUTED))
    if not (done := status.count()):
        return found
    counts = counts_text(status, shares=False)
    if found.cell_length + counts.cell_length >= width:
        counts = Content.styled(f"{percent(status.critical, done)} of pairs", MUTED)
    return spread(found, counts, width)
