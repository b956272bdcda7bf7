"""Rows below each other, a column a line: for results that are wider than the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from dear_tui.cli.printing.say import plain_console, say
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

GAP = 2
LEAST_ROOM = 20
"""columns of a terminal for a value, however long the names are"""


def print_vertical(columns: Sequence[str], rows: Iterable[Sequence[str]], file: TextIO) -> None:
    """Print rows of texts: on a terminal wrapped to its width, elsewhere each value whole on its line."""
    names = [printable_line(name) for name in columns]
    console = plain_console(file) if file.isatty() else None
    for number, row in enumerate(rows, 1):
        say(f"{'' if number == 1 else chr(10)}row {number:,}", file=file)
        values = [printable_line(value) for value in row]
        if console is None:
            longest = max(map(cell_len, names))
            for name, value in zip(names, values, strict=True):
                padding = " " * (longest - cell_len(name) + GAP)
                say(f"{name}{padding}{value}".rstrip(), file=file)
        else:
            console.print(_wrapped(names, values, console.width))


def _wrapped(names: Sequence[str], values: Sequence[str], width: int) -> Table:
    room = max(LEAST_ROOM, width - max(map(cell_len, names)) - GAP)
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(max_width=max(1, width - room - GAP))
    grid.add_column(max_width=room)
    for name, value in zip(names, values, strict=True):
        grid.add_row(Text(name, overflow="fold"), Text(value, overflow="fold"))
    return grid
