"""The rows of a page as the grid shows them; imports Arrow, so import it off the event loop."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types
from rich.cells import cell_len
from rich.text import Text
from textual_fastdatatable import ArrowBackend

from dear_tui.query.values import cell_text, is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import JustifyMethod

WIDEST = 60
"""cells of a column; a longer value is cut, and shown whole by a key"""

NO_VALUE = "∅"
"""for NULL, which the text 'NULL' must not look like"""

BLOCK = 1000
PLAIN = "^[ -~]*$"
"""letters of one cell each that stand for themselves"""


class ResultRows(ArrowBackend):
    """Every value as its text, numbers to the right."""

    sought = ""
    """a text that is marked where it stands"""

    @property
    def column_content_widths(self) -> list[int]:
        """Cells of the widest value of each column."""
        return self._widths

    @cached_property
    def _widths(self) -> list[int]:
        return [self._width(index) for index in range(self.column_count)]

    def value(self, row: int, column: int) -> Any:
        """The value of one cell, not shortened."""
        return super().get_cell_at(row, column)

    def get_cell_at(self, row_index: int, column_index: int) -> Any:
        """What stands in a cell."""
        column = self.data[column_index]
        justify: JustifyMethod = "right" if is_number(column.type) else "left"
        if not column[row_index].is_valid:
            return Text(NO_VALUE, style="dim", justify=justify)
        if is_number(column.type):  # Arrow knows how few digits a FLOAT needs
            return self._marked(Text(column[row_index].cast(pa.string()).as_py(), justify=justify))
        text = cell_text(self.value(row_index, column_index))
        return self._marked(Text(text)) if self.sought else text

    def _marked(self, text: Text) -> Text:
        """A cell's text with what is sought in other colours."""
        if self.sought:
            text.highlight_regex(re.compile(re.escape(self.sought), re.IGNORECASE), "reverse")
        return text

    def get_row_at(self, index: int) -> Sequence[Any]:
        """What stands in a row."""
        return [self.get_cell_at(index, column) for column in range(self.column_count)]

    def _width(self, index: int) -> int:
        column = self.data[index]
        if is_number(column.type) or _is_plain(column):
            return int(pc.max(pc.utf8_length(column.cast(pa.string()))).as_py() or 0)
        widest = 0
        for first in range(0, len(column), BLOCK):
            values = ArrowBackend(self.data.select([index]).slice(first, BLOCK)).get_column_at(0)
            widest = max([widest, *(cell_len(cell_text(value)) for value in values if value is not None)])
            if widest >= WIDEST:
                break
        return widest


def _is_plain(column: pa.ChunkedArray) -> bool:
    """Whether all of a column are texts that Arrow can measure."""
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return False
    return bool(pc.all(pc.match_substring_regex(column, PLAIN)).as_py() in (True, None))
