"""A table as an HTML element, without style, to be put into a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.result_table import Column, Table


def lines(table: Table) -> Iterator[str]:
    """The element `table`, whose caption is the title; cells of numbers have the class `number`, the legend follows."""
    yield "<table>"
    if table.title:
        yield f"<caption>{escape(table.title)}</caption>"
    yield f"<thead>{_row('th', table.columns, [column.title for column in table.columns])}</thead>"
    yield "<tbody>"
    for row in table.texts():
        yield _row("td", table.columns, row)
    yield from ("</tbody>", "</table>")
    if table.legend:
        yield f'<p class="legend">{"<br>".join(map(escape, table.legend))}</p>'


def _row(element: str, columns: Sequence[Column], cells: Sequence[str]) -> str:
    classes = (' class="number"' if column.is_number else "" for column in columns)
    written = (f"<{element}{of}>{escape(cell)}</{element}>" for of, cell in zip(classes, cells, strict=True))
    return f"<tr>{''.join(written)}</tr>"
