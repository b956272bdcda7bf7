"""A table of results: columns that say what their numbers are, and rows of numbers, for any renderer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.units import rate, short_count, stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Cell = str | int | float | None
"""None where a value is not known."""

UNKNOWN = "-"
"""What people read where a value is not known."""


class Kind(StrEnum):
    """What the cells of a column are, which decides how people read them."""

    TEXT = "text"
    ID = "id"
    """a number that is a name: never grouped by thousands"""
    COUNT = "count"
    """every digit: 16,501"""
    AMOUNT = "amount"
    """three digits and a unit: 165M"""
    PERCENT = "percent"
    """0 to 100"""
    SECONDS = "seconds"
    RATE = "rate"
    """per second"""
    NUMBER = "number"
    """three digits"""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    """in files for programs, such as `faults_detected`; its unit is part of it where the kind does not tell"""
    kind: Kind = Kind.TEXT
    heading: str | None = None
    """for people; None: the name with blanks"""
    priority: int = 0
    """where there is no room for all columns, the lowest goes first, and of equals the last"""

    @property
    def title(self) -> str:
        """What stands above the cells for people."""
        return self.name.replace("_", " ") if self.heading is None else self.heading

    @property
    def is_number(self) -> bool:
        """Whether the cells stand to the right."""
        return self.kind is not Kind.TEXT

    def text(self, value: Cell) -> str:
        """A cell as people read it, in one line: a line end in a name becomes its escape.

        >>> Column("pairs", Kind.COUNT).text(165010000)
        '165,010,000'
        """
        if value is None:
            return UNKNOWN
        return value.replace("\n", "\\n") if isinstance(value, str) else _TEXTS[self.kind](value)


@dataclass(frozen=True)
class Table:
    """Columns and rows; the values are numbers and names, never formatted text.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    legend: tuple[str, ...] = ()
    """what its words mean, a sentence each, for people who see it on a terminal"""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title or 'table'}: a row has {len(row)} cells for {len(self.columns)} columns")

    def texts(self) -> list[list[str]]:
        """The rows as people read them: [rows][columns]."""
        return [[column.text(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]

    def selected(self, places: Sequence[int]) -> Table:
        """The table with the columns at these places only."""
        return Table(
            self.title,
            tuple(self.columns[place] for place in places),
            tuple(tuple(row[place] for place in places) for row in self.rows),
            self.legend,
        )


def _percent(value: float) -> str:
    """Whole numbers as they are; two decimals, and three digits below 1 %."""
    if isinstance(value, int):
        return f"{value} %"
    if 0 < value < 0.001:
        return "<0.001 %"
    return f"{value:.3g} %" if 0 < value < 1 else f"{value:.2f} %"


_TEXTS: dict[Kind, Callable[[float], str]] = {
    Kind.TEXT: str,
    Kind.ID: str,
    Kind.COUNT: lambda value: f"{value:,.10g}" if isinstance(value, float) else f"{value:,}",
    Kind.AMOUNT: short_count,
    Kind.PERCENT: _percent,
    Kind.SECONDS: stopwatch,
    Kind.RATE: rate,
    Kind.NUMBER: lambda value: f"{value:.3g}",
}
