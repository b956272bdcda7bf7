"""Columns of a list, as many as fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from dear_tui.widgets.common.row_list import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GAP = "  "


@dataclass(frozen=True)
class ListColumn:
    """One column of a list, at least as wide as its title."""

    title: str
    text: Callable[[int], str]
    """of the row at a place"""
    width: int
    spare: int = 0
    """narrow screens drop the most spare columns first"""
    left: bool = False
    style: str | Callable[[int], str] = ""
    """of all rows, or of the row at a place"""

    @property
    def cells(self) -> int:
        """Columns of the terminal that it takes."""
        return max(self.width, len(self.title))


def lay_out(columns: Sequence[ListColumn], keys: Sequence[int], width: int) -> Rows:
    """The columns that fit, as rows of a list."""
    return rows_of(fitting(columns, width), keys)


def fitting(columns: Sequence[ListColumn], width: int) -> list[ListColumn]:
    """The columns that fit."""
    shown = list(columns)
    while len(shown) > 1 and sum(column.cells for column in shown) + len(GAP) * (len(shown) - 1) > width:
        shown.remove(max(reversed(shown), key=lambda column: column.spare))
    return shown


def rows_of(columns: Sequence[ListColumn], keys: Sequence[int]) -> Rows:
    """These columns as rows of a list."""

    def row(place: int) -> Content:
        return Content(GAP).join([_cell(column, place) for column in columns])

    return Rows(Content(GAP.join(_fit(column, column.title) for column in columns)), keys, row)


def _cell(column: ListColumn, place: int) -> Content:
    style = column.style if isinstance(column.style, str) else column.style(place)
    return Content.styled(_fit(column, column.text(place)), style)


def class_text(number: int, class_names: Sequence[str]) -> str:
    """A class with its name where it has one: `3 cat`."""
    return f"{number} {class_names[number]}" if number < len(class_names) else str(number)


def _fit(column: ListColumn, text: str) -> str:
    """A text in its column; one that is too long shows its end, where names differ."""
    if cell_len(text) > column.cells:
        while cell_len(text) >= column.cells:
            text = text[1:]
        text = f"…{text}"
    blanks = " " * (column.cells - cell_len(text))
    return text + blanks if column.left else blanks + text
