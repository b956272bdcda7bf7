"""Results as CSV and JSON, row by row."""

from __future__ import annotations

import csv
import json
import math
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

from dear_tui.query.values import value_text
from dear_tui.text.printable import IN_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.store.sql.sql import Result


NOT_PLAIN = re.compile(r"BLOB|MAP|STRUCT|UNION|\[")
"""in the name of a type: of values that Python would write as its own"""
WRITTEN = (bool, bytes, dict, list)


def write_csv(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """A line of names, then a line a row; NULL is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(result.columns)
    if any(kind == "BOOLEAN" or NOT_PLAIN.search(kind) for kind in result.types):
        rows = (tuple(value_text(value) if isinstance(value, WRITTEN) else value for value in row) for row in rows)
    writer.writerows(rows)


def write_json(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """One array of objects."""
    separator = "[\n"
    for row in rows:
        values = dict(zip(result.columns, map(_json_value, row), strict=True))
        text = json.dumps(values, default=str, ensure_ascii=False)
        file.write(separator + IN_TEXT.sub(lambda sign: json.dumps(sign[0])[1:-1], text))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def _json_value(value: Any) -> Any:
    """JSON has no NaN, no infinity and no times: they become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
