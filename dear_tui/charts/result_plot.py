"""Numbers of a result as lines or dots over the first column; no Textual in here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

from dear_tui.charts.draw import LEAST_HEIGHT, LEAST_WIDTH, TOO_SMALL
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plot import STYLES
from dear_tui.charts.raster import CELL_HEIGHT, CELL_WIDTH, braille, trace
from engine.units import short_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

MOST_LINES = 4
INKS = (Ink.MASKED, Ink.CRITICAL, Ink.METRIC, Ink.NON_CRITICAL)
CLASS_INKS = {"masked": Ink.MASKED, "non_critical": Ink.NON_CRITICAL, "critical": Ink.CRITICAL}
TICK_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Range:
    """An axis over what values there are."""

    low: float
    high: float

    @classmethod
    def of(cls, *values: NDArray[np.float64]) -> Range:
        """From the smallest to the largest finite value; counts begin at 0 where that wastes no room."""
        finite = [part[np.isfinite(part)] for part in values]
        low = min((float(part.min()) for part in finite if len(part)), default=0.0)
        high = max((float(part.max()) for part in finite if len(part)), default=1.0)
        if 0 < low < high / 2:
            low = 0.0
        return cls(low, high) if high > low else cls(low - 0.5, high + 0.5)

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """0 the start, 1 the end."""
        return (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """Round numbers on the axis, at most so many."""
        least = (self.high - self.low) / max(most, 1)
        magnitude = 10.0 ** math.floor(math.log10(least))
        step = next(factor * magnitude for factor in TICK_STEPS if factor * magnitude >= least * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [step * (first + index) for index in range(count)][:most]


def draw_result(x_name: str, x: NDArray[np.float64], lines: Mapping[str, NDArray[np.float64]], dots: bool,
              width: int, height: int) -> Picture:  # fmt: skip
    """Legend, axes and up to MOST_LINES lines.

    Args:
        x, lines: float64 [rows], NaN where there is no value.
        dots: each row by itself, not joined.
    """
    picture = Picture(width, height)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        if height:
            picture.put(0, 0, TOO_SMALL, Ink.TEXT)
        return picture
    inks = _inks(list(lines))
    _legend(picture, x_name, inks)
    x_range, y_range = Range.of(x), Range.of(*lines.values())
    left = _axes(picture, x_range, y_range)
    rows, columns = height - 3, width - left - 1
    cells = np.zeros((rows * CELL_HEIGHT, columns * CELL_WIDTH), dtype=np.bool_)
    inked = picture.inks[1 : 1 + rows, left : left + columns]
    for name, y in lines.items():
        drawn = _dots if dots else _line
        shown = np.isfinite(x) & np.isfinite(y)
        line = drawn(x_range.place(x[shown]), y_range.place(y[shown]), cells.shape, inks[name])
        cells |= line
        inked[line.reshape(rows, CELL_HEIGHT, columns, CELL_WIDTH).any(axis=(1, 3))] = inks[name]
    picture.characters[1 : 1 + rows, left : left + columns] = braille(cells)
    return picture


def _inks(names: list[str]) -> dict[str, Ink]:
    """A class's own colour where a column is named after one."""
    inks = {name: CLASS_INKS[name] for name in names if name in CLASS_INKS}
    free = iter([ink for ink in INKS if ink not in inks.values()])
    return {name: inks[name] if name in inks else next(free) for name in names}


def _legend(picture: Picture, x_name: str, inks: Mapping[str, Ink]) -> None:
    column = 1
    for name, ink in inks.items():
        sample = braille(trace(np.full(2, 0.4), 1, 3 * CELL_WIDTH, CELL_HEIGHT, STYLES[ink]))
        picture.put(0, column, "".join(map(chr, sample[0])), ink)
        picture.put(0, column + 4, name, Ink.TEXT)
        column += cell_len(name) + 7
    label = f"→ {x_name}"
    picture.put(0, max(picture.width - cell_len(label) - 1, column), label, Ink.AXIS)


def _axes(picture: Picture, x_range: Range, y_range: Range) -> int:
    """Both axes with their ticks; returns the first column of the plot."""
    rows, base = picture.height - 3, picture.height - 2
    labels = {tick: _label(tick) for tick in y_range.ticks(rows // 3 + 1)}
    left = max(map(len, labels.values()), default=1) + 2
    columns = picture.width - left - 1
    for row in range(1, base):
        picture.put(row, left - 1, "│", Ink.AXIS)
    picture.put(base, left - 1, "└" + "─" * columns, Ink.AXIS)
    for tick, label in labels.items():
        row = 1 + int((1 - float(y_range.place(tick))) * (rows - 1) + 0.5)
        picture.put(row, left - 1 - len(label), label, Ink.AXIS)
        picture.put(row, left - 1, "┤", Ink.AXIS)
    for tick in x_range.ticks(columns // 10):
        column = left + int(float(x_range.place(tick)) * (columns - 1) + 0.5)
        label = _label(tick)
        picture.put(base, column, "┬", Ink.AXIS)
        picture.put(base + 1, max(min(column - len(label) // 2, picture.width - len(label)), 0), label, Ink.AXIS)
    return left


def _label(value: float) -> str:
    if value < 0:
        return f"-{_label(-value)}"
    return short_count(value) if value >= 1000 else f"{value:.4g}"


def _line(x: NDArray[np.float64], y: NDArray[np.float64], shape: tuple[int, int], ink: Ink) -> NDArray[np.bool_]:
    """Straight between neighbours in x; a column of dots shows the whole range of its rows."""
    height, width = shape
    if len(x) == 0:
        return np.zeros(shape, dtype=np.bool_)
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    column = np.clip(np.floor(x * (width - 1) + 0.5), 0, width - 1).astype(np.int64)
    edges = np.interp((np.arange(width + 1) - 0.5) / max(width - 1, 1), x, y)
    low, high = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
    np.minimum.at(low, column, y)
    np.maximum.at(high, column, y)
    outside = (np.arange(width) < column[0]) | (np.arange(width) > column[-1])
    low[outside] = high[outside] = np.nan
    return trace(np.column_stack([low, high]).ravel(), 2 * width - 1, width, height, STYLES[ink])


def _dots(x: NDArray[np.float64], y: NDArray[np.float64], shape: tuple[int, int], ink: Ink) -> NDArray[np.bool_]:
    """Each row where it lies; a bold line's dots are bold, too."""
    height, width = shape
    cells = np.zeros(shape, dtype=np.bool_)
    row = np.clip(np.floor((1 - y) * (height - 1) + 0.5), 0, height - 1).astype(np.int64)
    column = np.clip(np.floor(x * (width - 1) + 0.5), 0, width - 1).astype(np.int64)
    cells[row, column] = True
    if STYLES[ink].thickness > 1:
        cells[:-1] |= cells[1:]
    return cells
