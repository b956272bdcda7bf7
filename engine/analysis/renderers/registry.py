"""The formats a table of results can be written in; another one is a file beside this one and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.renderers import comma_separated, html, latex, markdown, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.analysis.result_table import Table

    Renderer = Callable[[Table], Iterable[str]]

RENDERERS: dict[str, Renderer] = {
    "text": text.lines,
    "csv": comma_separated.lines,
    "md": markdown.lines,
    "latex": latex.lines,
    "html": html.lines,
}
"""Name of the format -> what gives the lines of a table, without their ends; text and CSV leave the legend out."""


def render(table: Table, format_name: str) -> str:
    """A table in one of the formats, with a line end after each line.

    Raises:
        KeyError: no renderer has this name.

    >>> from engine.analysis.result_table import Column, Kind, Table
    >>> render(Table("", (Column("bit", Kind.ID), Column("faults", Kind.COUNT)), ((30, 1024),)), "text")
    'bit  faults\\n 30   1,024\\n'
    """
    return "".join(f"{line}\n" for line in RENDERERS[format_name](table))
