"""Rows as text for the clipboard, as spreadsheets take them; imports Arrow, so import it off the event loop."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dear_tui.query.files import plain_value
from dear_tui.query.values import is_number
from dear_tui.widgets.sql.result_rows import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LETTERS = 1_000_000
"""of a text for the clipboard: terminals drop longer ones without a word"""


def tab_separated(rows: pa.Table) -> str | None:
    """A line of names and a line a row, tabs between; NULL is empty. None where it is more than MOST_LETTERS."""
    text = io.StringIO()
    writer = csv.writer(text, "excel-tab", lineterminator="\n")
    writer.writerow(rows.column_names)
    for first in range(0, rows.num_rows, BLOCK):
        block = rows.slice(first, BLOCK)
        writer.writerows(zip(*map(_plain, block.columns), strict=True))
        if text.tell() > MOST_LETTERS:
            return None
    return text.getvalue()


def _plain(column: pa.ChunkedArray) -> Iterable[Any]:
    """Values as they are written; Arrow knows how few digits a FLOAT needs."""
    if is_number(column.type):
        return column.cast(pa.string()).to_pylist()  # type: ignore[no-any-return]
    return map(plain_value, column.to_pylist())
