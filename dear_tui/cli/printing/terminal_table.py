"""Tables of results on standard output: fitted to a terminal, whole in a pipe or a file."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table as RichTable
from rich.text import Text

from dear_tui.cli.printing.say import plain_console, say, say_wrapped
from engine.analysis.renderers.registry import RENDERERS
from engine.analysis.result_table import Table
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rich.console import JustifyMethod

    from engine.analysis.result_table import Column

GAP = 2
"""blanks after a column, for which rich wants room after the last one, too"""
WIDEST_CELL = 40
"""columns of a terminal; longer texts end in an ellipsis there"""
WIDEST_LEGEND = 100
"""columns of a line of prose"""


def print_table(table: Table, file: TextIO | None = None) -> list[Column]:
    """Print the table, to standard output unless told otherwise; returns the columns there was no room for.

    Its legend is for a terminal alone.
    """
    file, shown = file or sys.stdout, as_printed(table)
    if not file.isatty():
        for line in RENDERERS["text"](shown):
            say(line, file=file)
        return []
    console = plain_console(file)
    places = fitting(shown, console.width)
    if shown.title:
        say(shown.title, file=file, end="\n\n")
    shown = shown.selected(places)
    console.print(_drawn(shown))
    print_legend(shown.legend, file)
    return [column for place, column in enumerate(table.columns) if place not in places]


def print_legend(legend: Sequence[str], file: TextIO | None = None) -> None:
    """What words mean, a line each and wrapped, where a person reads it: nothing in a pipe or a file."""
    file = file or sys.stdout
    for line in legend if file.isatty() else ():
        say_wrapped(f"  {line}", hanging=4, most=WIDEST_LEGEND, file=file)


def as_printed(table: Table) -> Table:
    """With nothing in it that steers a terminal or breaks a line, so that columns stay aligned."""
    return Table(
        printable_line(table.title),
        tuple(replace(column, heading=printable_line(column.title)) for column in table.columns),
        tuple(tuple(printable_line(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows),
        table.terms,
    )


def fitting(table: Table, width: int) -> list[int]:
    """The places of the columns that fit side by side; at least one."""
    widths = _widths(table)
    places = list(range(len(widths)))
    while len(places) > 1 and sum(widths[place] + GAP for place in places) > width:
        dropped = min(reversed(places), key=lambda place: table.columns[place].priority)
        name = _interval(table.columns[dropped].name)
        places = [
            place for place in places
            if place != dropped and (name is None or _interval(table.columns[place].name) != name)
        ] or [dropped]  # fmt: skip
    return places


def _interval(name: str) -> str | None:
    """The interval that a column is an end of, both of which are shown or none: half of one misleads."""
    parts = name.split("_")
    ends = {"low", "high"} & set(parts)
    return "_".join(part for part in parts if part not in ends) if ends else None


def _widths(table: Table) -> list[int]:
    rows = [[column.title for column in table.columns], *table.texts()]
    return [min(max(cell_len(cell) for cell in cells), WIDEST_CELL) for cells in zip(*rows, strict=True)]


def _drawn(table: Table) -> RichTable:
    """As rich lays it out: headings where there are any, no lines between the columns."""
    headings = [column.title for column in table.columns]
    drawn = RichTable(
        box=None,
        padding=(0, GAP, 0, 0),
        pad_edge=False,
        show_header=any(headings),
    )
    for column, width in zip(table.columns, _widths(table), strict=True):
        justify: JustifyMethod = "right" if column.is_number else "left"
        drawn.add_column(_cell(column.title), justify=justify, no_wrap=True, width=width)
    for row in table.texts():
        drawn.add_row(*map(_cell, row))
    return drawn


def _cell(text: str) -> Text:
    return Text(text, overflow="ellipsis")
