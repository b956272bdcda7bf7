"""Percent over time as filled columns, one a reading, in eighths of a cell; no Textual in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"
UNKNOWN = "·"


def history_rows(percent: Sequence[float | None], width: int, height: int) -> list[str]:
    """The last `width` values, the newest at the right edge; each row a line of text, the top one first.

    What is above 0 is seen, however small; what is not known is a dot on the ground.
    """
    shown = percent[-width:] if width else []
    columns = [" " * height] * (width - len(shown)) + [_column(value, height) for value in shown]
    return ["".join(column[row] for column in columns) for row in range(height)]


def _column(value: float | None, height: int) -> str:
    """From the top down."""
    if value is None:
        return UNKNOWN.rjust(height)
    full = height * (len(EIGHTHS) - 1)
    eighths = min(round(value / 100 * full), full) or (1 if value > 0 else 0)
    whole, rest = divmod(eighths, len(EIGHTHS) - 1)
    return (EIGHTHS[rest] * (rest > 0) + EIGHTHS[-1] * whole).rjust(height)
