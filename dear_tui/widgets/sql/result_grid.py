"""The rows of a result in a grid; imports Arrow, so import it off the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual_fastdatatable import DataTable

from dear_tui.charts.result_plot import MOST_LINES
from dear_tui.query.values import cell_text, whole_text
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.sql.result_rows import WIDEST, ResultRows, is_number

if TYPE_CHECKING:
    import pyarrow as pa

    from engine.store.sql.sql import Page


class PreparedPage:
    """A page with its columns measured, which takes a while for wide ones."""

    def __init__(self, page: Page) -> None:
        self.first, self.more = page.first, page.more
        self.rows = page.rows
        self.backend = ResultRows(page.rows)
        self.backend.render_markup = False
        _ = self.backend.column_content_widths
        self.is_curve = is_curve(page.rows)

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
        Binding("y", "copy_cell", "copy", tooltip="this cell, to the clipboard"),
        Binding("v", "screen.view_cell", "value", show=False, tooltip="the whole value of this cell"),
        Binding("enter", "screen.edit", "edit", show=False, tooltip="into the editor"),
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

    def __init__(self, page: PreparedPage) -> None:
        super().__init__(
            backend=page.backend,
            column_labels=[
                Text(cell_text(field.name), justify="right" if is_number(field.type) else "left")
                for field in page.rows.schema
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

    def action_copy_cell(self) -> None:
        """To the terminal's clipboard."""
        self.app.copy_to_clipboard(self.cell_text())
        self.notify(f"{self.names[self.cursor_column]} copied", timeout=2, markup=False)


def is_curve(rows: pa.Table) -> bool:
    """Whether all columns are numbers: an x and some y."""
    return 2 <= rows.num_columns <= MOST_LINES + 1 and all(is_number(field.type) for field in rows.schema)
