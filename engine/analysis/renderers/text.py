"""A table as aligned columns of text, as wide as it has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.result_table import Table

GAP = "  "


def lines(table: Table) -> Iterator[str]:
    """The title and an empty line where there is a title, the headings where there are any, and a line for each row."""
    if table.title:
        yield from (table.title, "")
    headings = [column.title for column in table.columns]
    rows = ([headings] if any(headings) else []) + table.texts()
    widths = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield GAP.join(map(_aligned, row, widths, (column.is_number for column in table.columns))).rstrip()


def _aligned(cell: str, width: int, to_the_right: bool) -> str:
    padding = " " * (width - _width(cell))
    return padding + cell if to_the_right else cell + padding


def _width(cell: str) -> int:
    """How many columns of a terminal a text takes: two for a wide letter, none for a mark on one."""
    if cell.isascii():
        return len(cell)
    return sum(0 if combining(letter) else 1 + (east_asian_width(letter) in "WF") for letter in cell)
