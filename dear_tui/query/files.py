"""Results as CSV and JSON, row by row."""

from __future__ import annotations

import csv
import json
import math
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.store.sql import Result


def write_csv(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """A line of names, then a line a row; NULL is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(result.columns)
    if "BOOLEAN" in result.types:
        rows = (tuple(str(value).lower() if isinstance(value, bool) else value for value in row) for row in rows)
    writer.writerows(rows)


def write_json(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """One array of objects."""
    separator = "[\n"
    for row in rows:
        values = dict(zip(result.columns, map(_json_value, row), strict=True))
        file.write(separator + json.dumps(values, default=str, ensure_ascii=False))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def _json_value(value: Any) -> Any:
    """JSON has no NaN, no infinity and no times: they become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
