"""Results as CSV and JSON, row by row."""

from __future__ import annotations

import csv
import json
import math
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

from dear_tui.query.values import ENDS, value_text
from engine.printable import IN_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.store.sql.sql import Result


NOT_PLAIN = re.compile(r"BOOLEAN|BLOB|MAP|STRUCT|UNION|DATE|TIMESTAMP|\[")
"""in the name of a type: of values that Python would write as its own, and of times, of which some are infinite"""
WRITTEN = (bool, bytes, dict, list, tuple, date)


def write_csv(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """A line of names, then a line a row; NULL is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(result.columns)
    if any(NOT_PLAIN.search(kind) for kind in result.types):
        rows = (tuple(plain_value(value) for value in row) for row in rows)
    writer.writerows(rows)


def plain_value(value: Any) -> Any:
    """A value, or its text where Python's own is not DuckDB's."""
    return value_text(value) if isinstance(value, WRITTEN) else value


def write_json(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """One array of objects."""
    separator = "[\n"
    plain = [PLAIN_OF_TYPE.get(kind, _json_value) for kind in result.types]
    for row in rows:
        values = {name: of(value) for name, of, value in zip(result.columns, plain, row, strict=True)}
        text = json.dumps(values, default=str, ensure_ascii=False)
        file.write(separator + IN_TEXT.sub(lambda sign: json.dumps(sign[0])[1:-1], text))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def _json_value(value: Any) -> Any:
    """JSON has no NaN, no infinity and no times, also inside of other values: they become text."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case date():
            return ENDS.get(value) or value.isoformat()
        case Decimal():
            return float(value)
        case list() | tuple():
            return [_json_value(one) for one in value]
        case dict():
            return {_json_key(key): _json_value(one) for key, one in value.items()}
    return value


def _written_json(value: str | None) -> Any:
    """What a column of JSON holds, instead of its text; nested too deeply for Python, it stays a text."""
    try:
        return None if value is None else _json_value(json.loads(value))
    except (ValueError, RecursionError):
        return value


def _written_jsons(values: list[str | None] | None) -> Any:
    return None if values is None else list(map(_written_json, values))


PLAIN_OF_TYPE: dict[str, Callable[[Any], Any]] = {"JSON": _written_json, "JSON[]": _written_jsons}
"""DuckDB's type -> what JSON has of a value of it, of types whose values come as texts"""


def _json_key(key: Any) -> str:
    """Of a MAP, whose keys may be of any type."""
    return str(_json_value(key)) if isinstance(key, str | date) else value_text(key)
