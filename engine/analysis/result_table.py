"""A table of results: columns that say what their numbers are, and rows of numbers, for any renderer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.analysis.glossary import glossed
from engine.units import rate, short_count, stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Cell = str | int | float | None
"""None where a value is not known."""

INTERVAL = "from, to"
"""the term for both of its columns"""

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
    term: str = ""
    """of the glossary, which says what stands in it; empty: its title does"""

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
    terms: tuple[str, ...] = ()
    """of the glossary, which stand in its title and rows"""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title or 'table'}: a row has {len(row)} cells for {len(self.columns)} columns")

    @property
    def legend(self) -> tuple[str, ...]:
        """What its terms and those of its columns mean, a line each, for people."""
        return glossed(*dict.fromkeys((*self.terms, *(column.term for column in self.columns if column.term))))

    def texts(self) -> list[list[str]]:
        """The rows as people read them: [rows][columns]."""
        return [[column.text(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]

    def selected(self, places: Sequence[int]) -> Table:
        """The table with the columns at these places only."""
        columns = tuple(self.columns[place] for place in places)
        return replace(self, columns=columns, rows=tuple(tuple(row[place] for place in places) for row in self.rows))


def interval(
    confidence: float | None,
    priority: int = 0,
    kind: Kind = Kind.PERCENT,
    names: tuple[str, str] = ("low_percent", "high_percent"),
) -> tuple[Column, Column]:
    """The columns of an interval; `confidence`, 0..1, None: it differs, or is told beside.

    >>> [column.title for column in interval(0.99)]
    ['99 % from', 'to']
    """
    start = "from" if confidence is None else f"{100 * confidence:g} % from"
    headings = zip(names, (start, "to"), strict=True)
    low, high = (Column(name, kind, heading, priority, INTERVAL) for name, heading in headings)
    return low, high


def _percent(value: float) -> str:
    """Whole numbers as they are; two decimals, and three digits below 1 %."""
    if isinstance(value, int):
        return f"{value} %"
    if 0 < value < 0.001:
        return "<0.001 %"
    return f"{value:.3g} %" if 0 < value < 1 else f"{value:.2f} %"


def _three_digits(value: float) -> str:
    """Thousands as people write them; of millions and more the power of ten."""
    text = f"{value:.3g}"
    return f"{float(text):,.0f}" if 1000 <= abs(float(text)) < 10**6 else text


_TEXTS: dict[Kind, Callable[[float], str]] = {
    Kind.TEXT: str,
    Kind.ID: str,
    Kind.COUNT: lambda value: f"{value:,.10g}" if isinstance(value, float) else f"{value:,}",
    Kind.AMOUNT: short_count,
    Kind.PERCENT: _percent,
    Kind.SECONDS: stopwatch,
    Kind.RATE: rate,
    Kind.NUMBER: _three_digits,
}
