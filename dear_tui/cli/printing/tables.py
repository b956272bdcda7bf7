"""Tables as text: the terminal's width on a terminal, their own width in a pipe or a file."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from dear_tui.cli.printing.say import say
from dear_tui.text.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

GAP = "  "
WIDEST_CELL = 40
"""columns of a terminal; longer texts end in an ellipsis there"""


@dataclass(frozen=True)
class Column:
    """One column, with its cells as text."""

    heading: str
    cells: Sequence[str]
    right: bool = False
    """numbers stand to the right"""
    priority: int = 0
    """where the terminal is too narrow, the lowest goes first, and of equals the last"""


def terminal_width(file: TextIO) -> int | None:
    """Columns of the terminal behind `file`; None for a pipe or a file, which take any width."""
    return shutil.get_terminal_size().columns if file.isatty() else None


def fit(columns: Sequence[Column], width: int | None) -> list[Column]:
    """The columns that fit side by side, in their order; at least one."""
    kept = list(columns)
    while width is not None and len(kept) > 1 and _total(kept) > width:
        kept.remove(min(reversed(kept), key=lambda column: column.priority))
    return kept


def lines(columns: Sequence[Column], width: int | None) -> Iterator[str]:
    """Heading and rows; `width` is the terminal's, where there is one."""
    widths = [_width(column) if width is not None else _natural(column) for column in columns]
    headings = [tuple(column.heading for column in columns)]
    rows = zip(*(column.cells for column in columns), strict=True)
    for row in [*(headings if any(headings[0]) else []), *rows]:
        cells = (_cell(text, size, column) for text, size, column in zip(row, widths, columns, strict=True))
        yield GAP.join(cells).rstrip()


def print_table(columns: Sequence[Column], file: TextIO | None = None) -> list[Column]:
    """Print what fits, to standard output unless told otherwise; returns the columns that did not."""
    file = file or sys.stdout
    columns = [
        replace(one, heading=printable_line(one.heading), cells=[printable_line(cell) for cell in one.cells])
        for one in columns
    ]
    width = terminal_width(file)
    kept = fit(columns, width)
    for line in lines(kept, width):
        say(line, file=file)
    return [column for column in columns if column not in kept]


def _cell(text: str, width: int, column: Column) -> str:
    text = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
    padding = " " * (width - cell_len(text))
    return padding + text if column.right else text + padding


def _natural(column: Column) -> int:
    return max(map(cell_len, (column.heading, *column.cells)))


def _width(column: Column) -> int:
    return min(_natural(column), WIDEST_CELL)


def _total(columns: Sequence[Column]) -> int:
    return sum(map(_width, columns)) + len(GAP) * (len(columns) - 1)
