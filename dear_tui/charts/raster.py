"""Lines and points as dots, dots as braille: every terminal cell holds 2 x 4 of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL_WIDTH, CELL_HEIGHT = 2, 4
BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint32)
"""Which bit of U+2800 + bits each dot of a cell is."""

SHADES = "·░▒▓█"
"""For one point in a cell, and for more and more."""


@dataclass(frozen=True)
class LineStyle:
    """A line's pattern in dots along its length, so that lines differ without colour."""

    on: int = 1
    off: int = 0
    thickness: int = 1


def trace(unit: NDArray[np.float64], span: int, width: int, height: int, style: LineStyle) -> NDArray[np.bool_]:
    """Draw `unit[i]` at x = i of an axis 0..span, see `trace_at`.

    Args:
        span: the last x of the axis, at least n - 1.
    """
    return trace_at(np.arange(len(unit)) / max(span, 1), unit, width, height, style)


def trace_at(
    x: NDArray[np.float64], y: NDArray[np.float64], width: int, height: int, style: LineStyle
) -> NDArray[np.bool_]:
    """Draw a line of steps; each column shows the full range of its values.

    Args:
        x: float64 [n], never falling, 0 the left edge and 1 the right; what lies outside is cut off.
        y: float64 [n], 0 the bottom and 1 the top; NaN is not drawn, what lies outside is cut off.
        width, height: of the result, in dots.

    Returns:
        bool [height, width], row 0 the top.
    """
    dots = np.zeros((height, width), dtype=np.bool_)
    if len(y) == 0 or width == 0 or height == 0:
        return dots
    column_of = np.floor(x * (width - 1) + 0.5).astype(np.int64)
    columns = np.arange(max(int(column_of[0]), 0), min(int(column_of[-1]) + 1, width))
    if len(columns) == 0:
        return dots
    # a column starts from the last value before it: steps stay joined, and columns without a value of their own hold it
    begin = np.maximum(np.searchsorted(column_of, columns) - 1, 0)
    end = np.maximum(np.searchsorted(column_of, columns, side="right"), begin + 1)
    ranges = np.column_stack([begin, end]).ravel()
    padded = np.append(y, np.nan)
    lowest, highest = np.fmin.reduceat(padded, ranges)[::2], np.fmax.reduceat(padded, ranges)[::2]
    drawn = ~np.isnan(lowest)
    columns, lowest, highest = columns[drawn], lowest[drawn], highest[drawn]
    # a line that leaves the picture is followed for one dot beyond its edge
    top = np.floor((1 - np.minimum(highest, 1 + 2 / height)) * (height - 1) + 0.5).astype(np.int64)
    bottom = np.floor((1 - np.maximum(lowest, -2 / height)) * (height - 1) + 0.5).astype(np.int64)
    length = np.maximum(bottom - top + 1, 0)
    before = np.cumsum(length) - length
    along = np.arange(int(length.sum()))
    row, column = along - np.repeat(before - top, length), np.repeat(columns, length)
    shown = (along % (style.on + style.off) < style.on) & (row >= 0) & (row < height)
    dots[row[shown], column[shown]] = True
    for _ in range(style.thickness - 1):
        dots[:-1] |= dots[1:]
    return dots


def count_points(x: NDArray[np.float64], y: NDArray[np.float64], width: int, height: int) -> NDArray[np.int64]:
    """How many points fall on each place of a grid, int64 [height, width], row 0 the top; NaN and outside: none.

    Args:
        x, y: float64 [n], 0 the left and the bottom edge, 1 the right and the top.
    """
    column = np.floor(x * (width - 1) + 0.5)
    row = np.floor((1 - y) * (height - 1) + 0.5)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    places = row[inside].astype(np.int64) * width + column[inside].astype(np.int64)
    return np.bincount(places, minlength=width * height).reshape(height, width)


def braille(dots: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Pack dots, bool [4 h, 2 w], into code points, uint32 [h, w]; an empty cell is a space."""
    height, width = dots.shape[0] // CELL_HEIGHT, dots.shape[1] // CELL_WIDTH
    cells = dots.reshape(height, CELL_HEIGHT, width, CELL_WIDTH)
    bits = np.einsum("hiwj,ij->hw", cells, BITS, dtype=np.uint32)
    return np.where(bits == 0, np.uint32(ord(" ")), 0x2800 + bits).astype(np.uint32)


def shades(counts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """A character for each count, [h, w] to [h, w]: the first for 1, the last for the largest, log steps between."""
    levels = np.array([ord(" "), *map(ord, SHADES)], dtype=np.uint32)
    most = max(int(counts.max(initial=0)), 2)
    share = np.log(np.maximum(counts, 1)) / np.log(most)
    return levels[np.where(counts == 0, 0, 1 + np.ceil(share * (len(SHADES) - 1)).astype(np.int64))]
