"""Two panes that share their room: the mouse drags the border between them, and keys move it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from rich.segment import Segment
from textual.containers import Container
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Offset
    from textual.layout import WidgetPlacement

    from dear_tui.app import DearApp
    from dear_tui.settings.pane_shares import PaneShares

WIDTH_STEP, HEIGHT_STEP = 4, 1
"""cells by which a key moves a border"""


@dataclass(frozen=True)
class Division:
    """How two panes divide their room: one beside the other, or one above the other with columns for lines."""

    is_beside: bool
    first: Region
    second: Region
    least: tuple[int, int]
    """columns that each pane needs to be read"""
    is_border_of_first: bool
    """whose last or first columns are the border where there is no gap"""

    @property
    def room(self) -> int:
        """Columns of both."""
        return self.first.width + self.second.width

    @property
    def is_free(self) -> bool:
        """Whether that is more than both need."""
        return self.room > sum(self.least)

    def with_first(self, columns: int) -> Division:
        """The first pane has so many columns, as far as both can be read."""
        if not self.is_free:
            return self
        columns = max(min(columns, self.room - self.least[1]), self.least[0])
        more = columns - self.first.width
        x, y, width, height = self.second
        return replace(self, first=self.first.grow((0, more, 0, 0)), second=Region(x + more, y, width - more, height))

    @property
    def regions(self) -> list[Region]:
        """Of the panes and of their border, as they are on the screen."""
        has_before = self.is_border_of_first or self.second.x > self.first.right
        border = Region(self.second.x - has_before, self.second.y, 1, self.second.height)
        return [one if self.is_beside else _turned(one) for one in (self.first, self.second, border)]


def _turned(region: Region) -> Region:
    return Region(region.y, region.x, region.height, region.width)


class Splitter(Widget):
    """A line one cell thick: there while the mouse is on the border, so that one sees what can be dragged."""

    DEFAULT_CSS = "Splitter { overlay: screen; display: none; width: 1; height: 1; color: $primary; }"
    ALLOW_SELECT = False

    def render_line(self, _y: int) -> Strip:
        """A piece of the line."""
        width, height = self.size
        return Strip([Segment(("━" if width > height else "┃") * width, self.rich_style)], width)


class Panes(Container):
    """Two widgets that divide the room as the styles say until the user moves their border; then each keeps its share.

    The border is the first cells of the second pane, or the last ones of the first, or the gap where there is one: at
    rest nothing shows that was not there without it.
    """

    DEFAULT_CSS = "Panes { height: 1fr; layout: horizontal; }"

    class Divided(Message):
        """The panes have other sizes than before."""

    def __init__(
        self,
        name: str,
        *,
        least_width: tuple[int, int] = (1, 1),
        least_height: tuple[int, int] = (1, 1),
        is_border_of_first: bool = False,
        classes: str | None = None,
    ) -> None:
        """Room for two widgets, which are still to come.

        Args:
            name: under which the user's share is kept.
            least_width: columns that each pane needs to be read; where there are no more, the styles divide.
            least_height: lines, for panes one above the other.
            is_border_of_first: whose cells are the border.
            classes: of this widget.
        """
        super().__init__(name=name, classes=classes)
        self._least_width, self._least_height = least_width, least_height
        self._is_border_of_first = is_border_of_first
        self._splitter = Splitter()
        self._division: Division | None = None
        """as it is on the screen; None while there are no two panes"""
        self._grip: int | None = None
        """while the border is dragged: how far from it the mouse has it"""

    def compose(self) -> ComposeResult:
        """The line comes after the panes."""
        yield self._splitter

    def on_mount(self) -> None:
        """Know where the border is."""
        self.screen.screen_layout_refresh_signal.subscribe(self, self._look)

    def process_layout(self, placements: list[WidgetPlacement]) -> list[WidgetPlacement]:
        """Divide as the user wants what the styles have divided, and put the line on the border."""
        panes = [one for one in placements if one.widget is not self._splitter]
        if len(panes) != 2:
            return panes
        now = self._wanted(self._divided(panes[0].region, panes[1].region))
        line = [one._replace(order=1, overlay=False) for one in placements if one.widget is self._splitter]
        return [one._replace(region=region) for one, region in zip([*panes, *line], now.regions, strict=False)]

    def can_move(self, is_beside: bool) -> bool:
        """Whether there is a border, between panes beside each other or else above each other, that can be moved."""
        now = self._division
        return now is not None and now.is_beside == is_beside and now.is_free

    def enlarge(self, widget: Widget, steps: int) -> None:
        """Give the pane that the widget is in more of the room, or less."""
        if now := self._division:
            cells = steps * (WIDTH_STEP if now.is_beside else HEIGHT_STEP)
            is_first = self.children[0] in widget.ancestors_with_self
            self._move(now, self._wanted(now).first.width + (cells if is_first else -cells))
            self._shares.keep(self._key(now))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the border, or show where it can be dragged."""
        if self._grip is not None and self._division:
            event.stop()
            self._move(self._division, _along(self._division, event.screen_offset) - self._grip)
        else:
            self._show_line()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the border."""
        if event.button == 1 and self._division and self._is_on_border(event.screen_offset):
            event.stop()
            self.capture_mouse()
            self._grip = _along(self._division, event.screen_offset) - self._division.first.width

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let it go."""
        if self._grip is not None:
            event.stop()
            self.release_mouse()

    def on_mouse_release(self) -> None:
        """Keep the share, also where another screen took the mouse away."""
        self._grip = None
        self._show_line()
        if self._division:
            self._shares.keep(self._key(self._division))

    def on_leave(self) -> None:
        """The mouse is elsewhere, perhaps."""
        self._show_line()

    def _show_line(self) -> None:
        """While the border is dragged, or could be: not while another widget has the mouse."""
        could_be = self.app.mouse_captured is None and self._is_on_border(self.app.mouse_position)
        self._splitter.display = self._grip is not None or could_be

    def _is_on_border(self, place: Offset) -> bool:
        """Whether a place of the screen is on a border that can be moved."""
        now = self._division
        return now is not None and now.is_free and now.regions[-1].contains_point(place)

    def _look(self, _screen: object) -> None:
        """See how the panes were laid out: by the styles, by the user, or not at all while one fills the screen."""
        before, panes = self._division, [one.region for one in self.displayed_children if one is not self._splitter]
        self._division = self._divided(panes[0], panes[1]) if len(panes) == 2 and all(panes) else None
        if self._division not in (None, before):
            self.post_message(self.Divided())

    def _move(self, now: Division, columns: int) -> None:
        """Give the first pane so many columns; what is on the screen may be behind what was wanted before."""
        wanted = now.with_first(columns)
        if wanted != self._wanted(now):
            self._shares.change(self._key(now), wanted.first.width / now.room)
            self._splitter.refresh(layout=True)  # of what it stands in

    def _wanted(self, now: Division) -> Division:
        """With the share that the user gave to the first pane."""
        share = self._shares.get(self._key(now))
        return now if share is None else now.with_first(round(share * now.room))

    def _divided(self, first: Region, second: Region) -> Division:
        is_beside = self.layout.name == "horizontal"
        if not is_beside:
            first, second = _turned(first), _turned(second)
        least = self._least_width if is_beside else self._least_height
        return Division(is_beside, first, second, least, self._is_border_of_first)

    def _key(self, division: Division) -> str:
        """Under which the share is kept: another one where the panes are one above the other."""
        return f"{self.name}-{'width' if division.is_beside else 'height'}"

    @property
    def _shares(self) -> PaneShares:
        return cast("DearApp", self.app).shares


def _along(division: Division, place: Offset) -> int:
    """A place of the screen, in the direction in which the panes follow each other."""
    return place.x if division.is_beside else place.y
