"""The rows of a result in a grid; imports Arrow, so import it off the event loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual_fastdatatable import DataTable

from dear_tui.charts.result_data import first_choice
from dear_tui.query.values import cell_text, is_number, whole_text
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.sql.copied_rows import MOST_LETTERS, tab_separated
from dear_tui.widgets.sql.result_rows import WIDEST, ResultRows
from dear_tui.widgets.sql.result_text import order_sign
from dear_tui.widgets.sql.row_search import find_cells

if TYPE_CHECKING:
    import pyarrow as pa
    from textual import events

    from dear_tui.widgets.sql.row_search import Found
    from engine.store.sql.sql import Order, Page


class PreparedPage:
    """A page with its columns measured, which takes a while for wide ones."""

    def __init__(self, page: Page, sought: str = "") -> None:
        """Prepare a page in which a text is sought."""
        self.first, self.more = page.first, page.more
        self.rows = page.rows
        self.backend = ResultRows(page.rows)
        self.backend.render_markup = False
        _ = self.backend.column_content_widths
        self.first_choice = first_choice(page.rows)
        """what is plotted of it before one chooses; None where it cannot be plotted"""
        self.found: Found | None = None
        """cells with the text that is sought"""
        self.mark(self.find(sought))

    def find(self, text: str) -> Found | None:
        """Look for a text in all cells, which takes a while; none is nowhere."""
        return find_cells(self.rows, text) if text else None

    def mark(self, found: Found | None) -> None:
        """Show these cells as found."""
        self.found, self.backend.sought = found, found.text if found else ""

    @property
    def count(self) -> int:
        """Rows on this page."""
        return int(self.rows.num_rows)


class ResultGrid(DataTable):
    """One page of a result."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "result-grid",
        Binding("j", "cursor_down", "down", show=False, tooltip="the next row"),
        Binding("k", "cursor_up", "up", show=False, tooltip="the row above"),
        Binding("h", "cursor_left", "left", show=False, tooltip="the column to the left"),
        Binding("l", "cursor_right", "right", show=False, tooltip="the column to the right"),
        Binding("g", "cursor_table_start", "first", show=False, tooltip="the first row"),
        Binding("G", "bottom", "last", show=False, tooltip="the last row of this page"),
        Binding("0", "cursor_row_start", "row start", show=False, tooltip="the first column"),
        Binding("dollar_sign", "cursor_row_end", "row end", show=False, key_display="$", tooltip="the last column"),
        Binding("enter,v", "screen.view_cell", "value", tooltip="the whole value of this cell"),
        Binding("y", "copy_cell", "copy", tooltip="this cell, to the clipboard"),
        Binding("Y", "copy_row", "copy row", show=False, tooltip="this row with its names, for a spreadsheet"),
        Binding("C", "copy_table", "copy table", show=False, tooltip="all rows with their names, for a spreadsheet"),
        Binding("s", "screen.sort", "sort", tooltip="all rows by this column; again: falling, off"),
        Binding("slash", "screen.search", "search", key_display="/", tooltip="a text in the cells of these rows"),
        Binding("n", "next_found(1)", "next match", show=False, tooltip="the next cell with the text that is sought"),
        Binding("N", "next_found(-1)", "match before", show=False, tooltip="the cell with that text before this one"),
        Binding("tab", "app.focus_next", "next pane", show=False),
        Binding("shift+tab", "app.focus_previous", "pane before", show=False),
    )
    DEFAULT_CSS = """
    ResultGrid {
        height: 1fr; background: transparent; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
        & > .datatable--header { background: $panel; color: $foreground; text-style: bold; }
        & > .datatable--even-row { background: transparent; }
        & > .datatable--cursor { background: $surface-lighten-2; color: $foreground; text-style: bold; }
        &:focus > .datatable--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
        }
        & > .datatable--hover { background: transparent; }
        & > .datatable--header-cursor, & > .datatable--header-hover { background: $panel; color: $text-accent; }
    }
    """

    @dataclass
    class SortAsked(Message):
        """The head of a column was clicked."""

        column: int

    def __init__(self, page: PreparedPage, order: Order | None = None) -> None:
        """Show this page, whose rows are in an order that the user has chosen."""
        super().__init__(
            backend=page.backend,
            column_labels=[
                Text(
                    cell_text(field.name) + (f" {order_sign(order)}" if order and order.column == index else ""),
                    justify="right" if is_number(field.type) else "left",
                )
                for index, field in enumerate(page.rows.schema)
            ],
            render_markup=False,
            max_column_content_width=WIDEST,
        )
        self.page = page

    @property
    def names(self) -> list[str]:
        """The result's columns."""
        return [str(name) for name in self.page.rows.column_names]

    def _cell(self) -> Any:
        row, column = self.cursor_coordinate
        return self.page.backend.value(row, column)

    def action_bottom(self) -> None:
        """Go to the last row, in the same column."""
        self.move_cursor(row=self.row_count - 1)

    def cell_text(self) -> str:
        """All of the value under the cursor, as one reads it."""
        return whole_text(self._cell())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a next match where there is one."""
        if action == "next_found":
            return self.page.found is not None and len(self.page.found.places) > 0
        return super().check_action(action, parameters)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        event.stop()
        self.post_message(self.SortAsked(event.column_index))

    def on_click(self, event: events.Click) -> None:
        """Two clicks on a cell open it."""
        if event.chain == 2 and event.style.meta.get("row", -1) >= 0:
            self.call_later(self.run_action, "screen.view_cell")

    def show_found(self, found: Found | None) -> None:
        """Mark what was found, and go to the first such cell from here on."""
        self.page.mark(found)
        self.notify_style_update()  # cells are painted once otherwise
        row, column = self.cursor_coordinate
        self._go_to(found.next_to(row, column - 1, 1) if found else None)

    def action_next_found(self, step: int) -> None:
        """To another cell with the text."""
        if self.page.found is not None:
            self._go_to(self.page.found.next_to(*self.cursor_coordinate, step))

    def _go_to(self, place: tuple[int, int] | None) -> None:
        if place is not None:
            self.move_cursor(row=place[0], column=place[1])

    def action_copy_cell(self) -> None:
        """To the terminal's clipboard."""
        self.app.copy_to_clipboard(self.cell_text())
        self._say(f"copied {self.names[self.cursor_column]} of row {self._row_number:,}")

    def action_copy_row(self) -> None:
        """The row under the cursor, to the terminal's clipboard."""
        what = f"row {self._row_number:,}, tab-separated, with the names of its columns"
        self._copy(self.page.rows.slice(self.cursor_row, 1), what)

    def action_copy_table(self) -> None:
        """All rows, to the terminal's clipboard; a thread writes them."""
        rows, page = self.page.rows, self.page
        if page.more or page.first:
            self._say(f"the result has more than {page.count:,} rows, too many to copy; e writes them to a file", True)
            return
        what = f"{rows.num_rows:,} rows, tab-separated, with the names of their columns"
        self.run_worker(partial(self._copy, rows, what), thread=True, exclusive=True, group="copy")

    @property
    def _row_number(self) -> int:
        """Of the cursor's row, as one counts rows."""
        return self.page.first + self.cursor_row + 1

    def _copy(self, rows: pa.Table, what: str) -> None:
        text = tab_separated(rows)
        if text is None:
            sentence = f"too much to copy, a terminal takes {MOST_LETTERS // 1_000_000} MB; e writes it to a file"
            self.call_later(self._say, sentence, True)
        else:
            self.call_later(self.app.copy_to_clipboard, text)
            self.call_later(self._say, f"copied {what}")

    def _say(self, sentence: str, is_refusal: bool = False) -> None:
        self.notify(sentence, severity="warning" if is_refusal else "information", timeout=4, markup=False)
