"""A long list of rows, under a heading or without one; only the rows in view are made, and once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from dear_tui.settings.keymap import with_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events

KEPT = 256
"""rows that are kept as they were painted"""
CURSOR, NO_CURSOR = Content.styled("▌", "$primary"), Content(" ")


@dataclass(frozen=True)
class Rows:
    """What a list shows."""

    heading: Content
    keys: Sequence[int]
    """what each row is of: the cursor stays with it when rows come, go or move"""
    row: Callable[[int], Content]
    """the text of the row at a place"""


NO_ROWS = Rows(Content(""), (), lambda _place: Content(""))


class RowList(ScrollView, can_focus=True):
    """Rows with a cursor; ten thousand cost as much as twenty."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "row-list",
        Binding("j,down", "move(1)", "down", show=False, tooltip="the next row"),
        Binding("k,up", "move(-1)", "up", show=False, tooltip="the row before"),
        Binding("g,home", "first", "first", show=False, tooltip="the first row"),
        Binding("G,end", "last", "last", show=False, tooltip="the last row"),
        Binding("pagedown", "page(1)", "page down", show=False, tooltip="a screen further"),
        Binding("pageup", "page(-1)", "page up", show=False, tooltip="a screen back"),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {"list--heading", "list--cursor"}
    DEFAULT_CSS = """
    RowList {
        height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        text-wrap: nowrap; text-overflow: ellipsis;
        .list--heading { color: $text-muted; text-style: bold; }
        .list--cursor { background: $surface-lighten-1; }
    }
    """
    ALLOW_SELECT = False
    HEADING_LINES: ClassVar[int] = 1

    cursor: var[int] = var(0)
    """the place of the row that keys act on"""

    class Moved(Message):
        """The cursor is on another row, or on another thing's."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> RowList:
            """The list that the message comes from."""
            return self.rows

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows = NO_ROWS
        self._painted: LRUCache[tuple[int, bool, int], Strip] = LRUCache(KEPT)
        """(place, whether the cursor is there, width) -> its line"""

    @property
    def key(self) -> int | None:
        """What the row under the cursor is of."""
        return int(self._rows.keys[self.cursor]) if self.cursor < len(self._rows.keys) else None

    def show(self, rows: Rows) -> None:
        """Show other or newer rows; the cursor stays on the same thing, and that on the same line if it can."""
        before, line = self.key, self._line(self.cursor) - self.scroll_offset.y
        self._rows = rows
        self._painted.clear()
        self.virtual_size = Size(self.scrollable_content_region.width, self._line(len(rows.keys)))
        place = self._place(before)
        self.set_reactive(RowList.cursor, self.cursor if place is None else place)
        self.cursor = self._inside(self.cursor)
        if place is not None:
            self.scroll_to(y=self._line(place) - line, animate=False)
        self._scroll_to_cursor()
        self.refresh()
        if self.key != before:
            self.post_message(self.Moved(self))

    def clear(self) -> None:
        """Show nothing, so that what comes next starts at its top."""
        self._rows = NO_ROWS
        self._painted.clear()
        self.set_reactive(RowList.cursor, 0)
        self.scroll_to(y=0, animate=False)

    def go_to(self, key: int | None) -> bool:
        """Put the cursor on a thing's row, in the middle where it was out of view; False where there is none."""
        place = self._place(key)
        if place is not None:
            if self.size and not 0 <= self._line(place) - self.scroll_offset.y - self.HEADING_LINES < self._lines:
                self.scroll_to(y=place - self._lines // 2, animate=False)
            self._go(place)
        return place is not None

    def paint_again(self, place: int) -> None:
        """The text of this row is another; the others stay as they are."""
        for is_chosen in (True, False):
            self._painted.discard((place, is_chosen, self._width))
        self.refresh_lines(self._line(place))

    def action_move(self, rows: int) -> None:
        """Move the cursor by some rows."""
        self._go(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """A screen up or down."""
        self._go(self.cursor + pages * max(self._lines - 1, 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._go(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._go(len(self._rows.keys) - 1)

    def render_line(self, y: int) -> Strip:
        """A line of the heading, or of the row that is in view there."""
        if y < self.HEADING_LINES:
            return self._strip(NO_CURSOR + self._rows.heading, "list--heading")
        place = self.scroll_offset.y + y - self.HEADING_LINES
        if place >= len(self._rows.keys):
            return Strip.blank(self._width, self.rich_style)
        return self._row(place)

    def watch_cursor(self, before: int, now: int) -> None:
        """Paint the two rows again."""
        for place in (before, now):
            self.refresh_lines(self._line(place))

    def notify_style_update(self) -> None:
        """Paint all rows again, because the theme is another."""
        self._painted.clear()
        super().notify_style_update()

    def on_click(self, event: events.Click) -> None:
        """The row that was clicked; a second click is enter."""
        if event.y >= self.HEADING_LINES:
            self._go(self.scroll_offset.y + event.y - self.HEADING_LINES)
            if event.chain == 2:
                self.app.simulate_key("enter")

    @property
    def _lines(self) -> int:
        """In view, for rows."""
        return max(self.scrollable_content_region.height - self.HEADING_LINES, 1)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _line(self, place: int) -> int:
        """Where a row is, from the top of all of them."""
        return self.HEADING_LINES + place

    def _place(self, key: int | None) -> int | None:
        """Where a thing's row is."""
        if key is None:
            return None
        places = np.flatnonzero(np.asarray(self._rows.keys) == key)
        return int(places[0]) if len(places) else None

    def _go(self, place: int) -> None:
        before = self.cursor
        self.cursor = self._inside(place)
        self._scroll_to_cursor()
        if self.cursor != before:
            self.post_message(self.Moved(self))

    def _inside(self, place: int) -> int:
        return max(min(place, len(self._rows.keys) - 1), 0)

    def _scroll_to_cursor(self) -> None:
        top, row = self.scroll_offset.y, self.cursor
        if self.size and not top <= row < top + self._lines:
            self.scroll_to(y=row if row < top else row - self._lines + 1, animate=False)

    on_resize = _scroll_to_cursor

    def _row(self, place: int) -> Strip:
        is_chosen = place == self.cursor
        painted = (place, is_chosen, self._width)
        strip = self._painted.get(painted)
        if strip is None:
            sign = CURSOR if is_chosen else NO_CURSOR
            strip = self._strip(sign + self._rows.row(place), "list--cursor" if is_chosen else None)
            self._painted[painted] = strip
        return strip

    def _strip(self, text: Content, component: str | None) -> Strip:
        style = self.get_visual_style(component) if component else self.visual_style
        strips = Visual.to_strips(self, text, self._width, 1, style)
        return strips[0].adjust_cell_length(self._width, style.rich_style) if strips else Strip.blank(self._width)
