"""The rows of a result in a grid; imports Arrow, so import it off the event loop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual_fastdatatable import ArrowBackend, DataTable

from dear_tui.charts.result_plot import MOST_LINES

if TYPE_CHECKING:
    import pyarrow as pa

    from engine.store.sql import Page

WIDEST = 60
"""cells of a column; a longer value is cut, and shown whole by a key"""


class PreparedPage:
    """A page with its columns measured, which takes a while for wide ones."""

    def __init__(self, page: Page) -> None:
        self.first, self.more = page.first, page.more
        self.rows = page.rows
        self.backend = ArrowBackend(page.rows)
        self.backend.render_markup = False
        _ = self.backend.column_content_widths
        self.is_curve = is_curve(page.rows)

    @property
    def count(self) -> int:
        """Rows on this page."""
        return int(self.rows.num_rows)


class ResultGrid(DataTable):
    """One page of a result."""

    BINDINGS: ClassVar[list[BindingType]] = [
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
    ]
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
            render_markup=False,
            null_rep="[dim]∅[/]",
            max_column_content_width=WIDEST,
        )
        self.page = page

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [str(name) for name in self.page.rows.column_names]

    def cell(self) -> Any:
        """The value under the cursor."""
        return self.get_cell_at(self.cursor_coordinate)

    def action_bottom(self) -> None:
        """Go to the last row, in the same column."""
        self.move_cursor(row=self.row_count - 1)

    def action_copy_cell(self) -> None:
        """To the terminal's clipboard."""
        value = self.cell()
        self.app.copy_to_clipboard(value if isinstance(value, str) else value_text(value))
        self.notify(f"{self.names[self.cursor_column]} copied", timeout=2)


def value_text(value: Any) -> str:
    """A value as text; JSON on several lines."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str, ensure_ascii=False, indent=2)
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
        except ValueError:
            return value
    return str(value)


def is_curve(rows: pa.Table) -> bool:
    """Whether all columns are numbers: an x and some y."""
    from pyarrow import types

    kinds = [field.type for field in rows.schema]
    numbers = [types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) for kind in kinds]
    return 2 <= len(numbers) <= MOST_LINES + 1 and all(numbers)
