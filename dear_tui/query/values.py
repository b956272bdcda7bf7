"""Values of a result as text: on one line for a cell, on several to read one whole."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

NULL = "NULL"
MOST_LETTERS = 400
"""of a text or a BLOB in a cell, which is narrower"""

UNSEEN = {number: chr(0x2400 + number) for number in range(32)} | {
    **dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "�"),
    **dict.fromkeys([ord("\n"), 0x85, 0x2028, 0x2029], "⏎"),
    **{ord("\r"): "", ord("\t"): " ", 0x7F: "␡"},
}
"""letters that would move a terminal's cursor or turn the direction of writing -> what stands for them"""

ENDS = {datetime.max: "infinity", datetime.min: "-infinity", date.max: "infinity", date.min: "-infinity"}
"""what Arrow's reader makes of them"""


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of these values stands to the right, and can be drawn."""
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def cell_text(value: Any) -> str:
    """A value on one line, as DuckDB writes it."""
    short = value[:MOST_LETTERS] if isinstance(value, str | bytes) else value
    return (short if isinstance(short, str) else value_text(short)).translate(UNSEEN)


def whole_text(value: Any) -> str:
    """All of a value; JSON, lists and structs on several lines."""
    if isinstance(value, dict | list):
        return json.dumps(value, default=value_text, ensure_ascii=False, indent=2)
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
        except ValueError:
            return value
    return value if isinstance(value, str) else value_text(value)


def value_text(value: Any) -> str:
    """A value; texts have quotes, as they have inside a list or a struct."""
    if hasattr(value, "nanoseconds"):  # Arrow's interval, which is a tuple
        return _interval_text(value.months, value.days, value.nanoseconds / 1e9)
    match value:
        case None:
            return NULL
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bytes():
            return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02X}" for byte in value)
        case Decimal():
            return f"{value:f}"
        case date():
            return ENDS.get(value) or str(value)
        case timedelta():
            return _interval_text(0, value.days, value.seconds + value.microseconds / 1e6)
        case dict():
            return _pairs_text(value.items())
        case [(_, _), *_]:  # a MAP
            return _pairs_text(value)
        case list() | tuple():
            return f"[{', '.join(map(value_text, value))}]"
    return str(value)


def _pairs_text(pairs: Iterable[tuple[Any, Any]]) -> str:
    return "{" + ", ".join(f"{value_text(key)}: {value_text(value)}" for key, value in pairs) + "}"


def _interval_text(months: int, days: int, seconds: float) -> str:
    counts = ((months, "month"), (days, "day"))
    parts = [f"{count} {unit}" if count == 1 else f"{count} {unit}s" for count, unit in counts if count]
    if seconds or not parts:
        minutes, rest = divmod(abs(seconds), 60)
        second = f"{rest:09.6f}".rstrip("0").rstrip(".")
        parts.append(f"{'-' if seconds < 0 else ''}{minutes // 60:02.0f}:{minutes % 60:02.0f}:{second}")
    return " ".join(parts)
