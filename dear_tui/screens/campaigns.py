"""The campaigns of the store, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from dear_tui.human import short_count
from dear_tui.screens.base import NO_CAMPAIGN, READING, SnapshotScreen, unread
from dear_tui.widgets.status_text import (
    MUTED,
    counts_text,
    name_text,
    progress_text,
    spread,
    state_text,
    workload_text,
)

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.geometry import Region

    from dear_tui.source import Snapshot
    from engine.store import CampaignStatus

LINES = 3
STATE_WIDTH = 11
CURSOR, NO_CURSOR = Content.styled("▌ ", "$primary"), Content("  ")


class CampaignList(OptionList):
    """Three lines a campaign."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "watch", tooltip="open it on the live screen"),
        Binding("j", "cursor_down", "down", tooltip="the next campaign"),
        Binding("k", "cursor_up", "up", tooltip="the one before"),
        Binding("g", "first", "first", show=False, tooltip="the newest"),
        Binding("G", "last", "last", show=False, tooltip="the oldest"),
    ]
    DEFAULT_CSS = """
    CampaignList {
        display: none; height: 1fr; padding: 0 1; background: transparent;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        &, &:focus { border: none; }
        & > .option-list--option-highlighted, &:focus > .option-list--option-highlighted {
            color: $foreground; background: $surface-lighten-1; text-style: none;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._campaigns: tuple[CampaignStatus, ...] = ()
        self._chosen: int | None = None
        self._shown: dict[str, tuple[CampaignStatus, int, bool]] = {}
        self._holds_repaint = False

    def show(self, campaigns: tuple[CampaignStatus, ...], chosen: int | None) -> None:
        """Bring the lines up to date; the chosen campaign stays chosen, whatever is new above it."""
        self._campaigns, self._chosen = campaigns, chosen
        width = self.scrollable_content_region.width
        before = self._shown
        self._shown = {str(status.id): (status, width, status.id == chosen) for status in campaigns}
        if list(before) != list(self._shown):
            self.clear_options()
            self.add_options([Option(_lines(*facts), id=name) for name, facts in self._shown.items()])
            self.highlighted = self.get_option_index(str(chosen)) if str(chosen) in self._shown else 0
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
        self.show(self._campaigns, self._chosen)


class CampaignsScreen(SnapshotScreen):
    """Every campaign with its state, progress and severities; enter watches one."""

    TAB = "campaigns"

    def compose_body(self) -> ComposeResult:
        """The list, or what to do while it is empty."""
        yield Static(READING, classes="message")
        yield CampaignList()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The list, or a message in its place."""
        campaigns = snapshot.campaigns
        listing, message = self.query_one(CampaignList), self.query_one(".message", Static)
        self.show_body(listing, bool(campaigns))
        if campaigns:
            listing.show(campaigns, self.dear.campaign)
        else:
            message.update(NO_CAMPAIGN if campaigns is not None else unread(snapshot), layout=False)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The campaign under the cursor is the one that `2` watches."""
        self.dear.campaign = int(str(event.option.id))
        self.refresh_snapshot()

    def on_option_list_option_selected(self) -> None:
        """Watch it."""
        self.app.switch_mode("live")


def _lines(status: CampaignStatus, width: int, chosen: bool) -> Content:
    """One campaign; the cursor is a sign too, because a background is not seen in every terminal."""
    cursor = CURSOR if chosen else NO_CURSOR
    inner = max(width - cursor.cell_length, 1)
    size = Content.styled(f"{short_count(status.faults)} faults × {short_count(status.images)} images", MUTED)
    last = spread(counts_text(status, shares=False), size, inner)
    if status.error:
        last = Content.styled(status.error.splitlines()[0], "$text-error").truncate(inner, ellipsis=True)
    state = state_text(status)
    facts = workload_text(status) + Content("  ") + state.pad_right(STATE_WIDTH - state.cell_length)
    head = spread(name_text(status), facts, inner)
    return Content("\n").join([cursor + line for line in (head, progress_text(status, inner), last)])
