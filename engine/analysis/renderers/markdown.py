"""A table as Markdown, in the pipe notation that GitHub and Pandoc read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.result_table import Table

MARKUP = re.compile(r"([\\`*_\[\]<>|~])")


def lines(table: Table) -> Iterator[str]:
    """The title in bold where there is one, the headings, the rule and the rows; the legend as a list."""
    if table.title:
        yield from (f"**{escaped(table.title)}**", "")
    yield _row([column.title for column in table.columns])
    yield f"|{'|'.join('---:' if column.is_number else '---' for column in table.columns)}|"
    yield from map(_row, table.texts())
    if table.legend:
        yield from ("", *(f"- {escaped(line)}" for line in table.legend))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"


def escaped(text: str) -> str:
    return MARKUP.sub(r"\\\1", text)
