"""A table as CSV: every digit of a number, and nothing where a value is not known."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.result_table import Table


def lines(table: Table) -> Iterator[str]:
    """The columns' names, then a line for each row; the title has no place in CSV."""
    for row in ([column.name for column in table.columns], *table.rows):
        written = StringIO()
        csv.writer(written, lineterminator="").writerow(row)
        yield written.getvalue()
