"""Lines as dots, dots as braille: every terminal cell holds 2 x 4 of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL_WIDTH, CELL_HEIGHT = 2, 4
BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint32)
"""Which bit of U+2800 + bits each dot of a cell is."""


@dataclass(frozen=True)
class LineStyle:
    """A line's pattern in dots along its length, so that lines differ without colour."""

    on: int = 1
    off: int = 0
    thickness: int = 1


def trace(unit: NDArray[np.float64], span: int, width: int, height: int, style: LineStyle) -> NDArray[np.bool_]:
    """Draw `unit[i]` at x = i of an axis 0..span; each column shows the full range of its values.

    Args:
        unit: float64 [n], 0 the bottom and 1 the top; NaN is not drawn, what lies outside is cut off.
        span: the last x of the axis, at least n - 1.
        width, height: of the result, in dots.

    Returns:
        bool [height, width], row 0 the top.
    """
    dots = np.zeros((height, width), dtype=np.bool_)
    if len(unit) == 0 or width == 0 or height == 0:
        return dots
    column_of = np.floor(np.arange(len(unit)) * ((width - 1) / max(span, 1)) + 0.5).astype(np.int64)
    columns = np.arange(min(int(column_of[-1]) + 1, width))
    # a column starts from the last value before it: steps stay joined, and columns without a value of their own hold it
    begin = np.maximum(np.searchsorted(column_of, columns) - 1, 0)
    end = np.maximum(np.searchsorted(column_of, columns, side="right"), begin + 1)
    ranges = np.column_stack([begin, end]).ravel()
    padded = np.append(unit, np.nan)
    lowest, highest = np.fmin.reduceat(padded, ranges)[::2], np.fmax.reduceat(padded, ranges)[::2]
    drawn = ~np.isnan(lowest)
    columns, lowest, highest = columns[drawn], lowest[drawn], highest[drawn]
    top = np.floor((1 - highest) * (height - 1) + 0.5).astype(np.int64)
    length = np.floor((1 - lowest) * (height - 1) + 0.5).astype(np.int64) - top + 1
    before = np.cumsum(length) - length
    along = np.arange(int(length.sum()))
    row, column = along - np.repeat(before - top, length), np.repeat(columns, length)
    shown = (along % (style.on + style.off) < style.on) & (row >= 0) & (row < height)
    dots[row[shown], column[shown]] = True
    for _ in range(style.thickness - 1):
        dots[:-1] |= dots[1:]
    return dots


def braille(dots: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Pack dots, bool [4 h, 2 w], into code points, uint32 [h, w]; an empty cell is a space."""
    height, width = dots.shape[0] // CELL_HEIGHT, dots.shape[1] // CELL_WIDTH
    cells = dots.reshape(height, CELL_HEIGHT, width, CELL_WIDTH)
    bits = np.einsum("hiwj,ij->hw", cells, BITS, dtype=np.uint32)
    return np.where(bits == 0, np.uint32(ord(" ")), 0x2800 + bits).astype(np.uint32)
