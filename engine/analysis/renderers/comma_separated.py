"""A table as CSV: every digit of a number, and nothing where a value is not known."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.result_table import Table


class _Line:
    """What a CSV writer writes to: it gives the line back."""

    def write(self, line: str) -> str:
        return line


def lines(table: Table) -> Iterator[str]:
    """The columns' names, then a line for each row; the title has no place in CSV."""
    writer = csv.writer(_Line(), lineterminator="")
    for row in ([column.name for column in table.columns], *table.rows):
        yield cast("str", writer.writerow(row))  # what the line above gives back
