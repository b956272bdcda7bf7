"""Numbers of a result as lines or dots over the first column; no Textual in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

from dear_tui.charts.draw import LEAST_HEIGHT, LEAST_WIDTH, TOO_SMALL, draw_axes, line_sample
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plot import CLASS_INKS, STYLES
from dear_tui.charts.raster import CELL_HEIGHT, CELL_WIDTH, braille, trace
from engine.figures.axis import Axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_LINES = 4
INKS = (Ink.MASKED, Ink.CRITICAL, Ink.METRIC, Ink.NON_CRITICAL)


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
    x_axis, y_axis = Axis.over(x), Axis.over(*lines.values())
    picture.area = top, left, rows, columns = draw_axes(picture, x_axis, y_axis, 1, height - 2)
    cells = np.zeros((rows * CELL_HEIGHT, columns * CELL_WIDTH), dtype=np.bool_)
    inked = picture.inks[top : top + rows, left : left + columns]
    for name, y in lines.items():
        drawn = _dots if dots else _line
        shown = np.isfinite(x) & np.isfinite(y)
        line = drawn(x_axis.place(x[shown]), y_axis.place(y[shown]), cells.shape, inks[name])
        cells |= line
        inked[line.reshape(rows, CELL_HEIGHT, columns, CELL_WIDTH).any(axis=(1, 3))] = inks[name]
    picture.characters[top : top + rows, left : left + columns] = braille(cells)
    return picture


def _inks(names: list[str]) -> dict[str, Ink]:
    """A class's own colour where a column is named after one."""
    inks = {name: CLASS_INKS[name] for name in names if name in CLASS_INKS}
    free = iter([ink for ink in INKS if ink not in inks.values()])
    return {name: inks[name] if name in inks else next(free) for name in names}


def _legend(picture: Picture, x_name: str, inks: Mapping[str, Ink]) -> None:
    column = 1
    for name, ink in inks.items():
        picture.put(0, column, line_sample(STYLES[ink]), ink)
        picture.put(0, column + 4, name, Ink.TEXT)
        column += cell_len(name) + 7
    label = f"→ {x_name}"
    picture.put(0, max(picture.width - cell_len(label) - 1, column), label, Ink.AXIS)


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
    row = np.floor((1 - np.clip(y, 0, 1)) * (height - 1) + 0.5).astype(np.int64)
    column = np.floor(np.clip(x, 0, 1) * (width - 1) + 0.5).astype(np.int64)
    cells[row, column] = True
    if STYLES[ink].thickness > 1:
        cells[:-1] |= cells[1:]
    return cells
