"""Numbers of a result over one of its columns, as lines, bars or points; no Textual in here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len, set_cell_size

from dear_tui.charts.draw import LEAST_HEIGHT, LEAST_WIDTH, TOO_SMALL, draw_axes, line_sample
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plot import CLASS_INKS, STYLES
from dear_tui.charts.raster import CELL_HEIGHT, CELL_WIDTH, braille, trace
from dear_tui.charts.svg import COLOURS, stroke_of
from engine.figures.axis import LARGEST, Axis
from engine.figures.figure import Band, Figure, Line, Points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_LINES = 4
INKS = (Ink.MASKED, Ink.CRITICAL, Ink.METRIC, Ink.NON_CRITICAL)
BARS_WIDTH = 0.8
"""of a category's place, for the bars of all lines"""
ENTRY = 7
"""cells of a line in the legend beside its name"""
LONGEST_NAME = 9
"""cells of a category below the axis"""


class PlotKind(StrEnum):
    """How the rows are drawn; the value is what the user reads."""

    LINE = "line"
    BARS = "bars"
    POINTS = "points"

    @property
    def next(self) -> PlotKind:
        """The kind after this one, in turns."""
        kinds = list(PlotKind)
        return kinds[(kinds.index(self) + 1) % len(kinds)]


@dataclass(frozen=True)
class CategoryAxis(Axis):
    """A place for each name: 0, 1, 2 ..."""

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str]) -> CategoryAxis:
        """Half a place is left before the first one and after the last one."""
        return cls(max(len(names), 1) - 0.5, low=-0.5, names=tuple(names))

    def ticks(self, most: int) -> list[float]:
        """Every name, or every second or third ... where there is no room for all."""
        every = max(-(-len(self.names) // max(most, 1)), 1)
        return [float(index) for index in range(0, len(self.names), every)]

    def labels(self, ticks: Sequence[float]) -> list[str]:
        """Names, long ones cut."""
        return [_cut(self.names[int(tick)], LONGEST_NAME) for tick in ticks]


@dataclass(frozen=True, eq=False)
class ResultLine:
    """The values of one column, or of one series of it."""

    name: str
    x: Floats
    """[rows]"""
    y: Floats
    """[rows], NaN where there is no value"""


@dataclass(frozen=True, eq=False)
class ResultPlot:
    """What is drawn and saved."""

    x_name: str
    y_name: str
    kind: PlotKind
    x: Axis
    y: Axis
    lines: tuple[ResultLine, ...]
    """MOST_LINES at most"""
    note: str = ""
    """what is left out"""

    @property
    def can_log_x(self) -> bool:
        """Whether x is a number."""
        return not isinstance(self.x, CategoryAxis)

    @property
    def title(self) -> str:
        """For a picture by itself."""
        return f"{self.y_name} over {self.x_name}" + (f" ({self.note})" if self.note else "")


def make_result_plot(
    x_name: str,
    y_name: str,
    lines: Sequence[ResultLine],
    kind: PlotKind,
    names: Sequence[str] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    note: str = "",
) -> ResultPlot:
    """A plot with axes for its lines.

    Args:
        x_name, y_name: below and beside the axes.
        lines: MOST_LINES at most.
        kind: how they are drawn; bars want names.
        names: of the places 0, 1, 2 ... of x; absent: x is a number.
        log_x: where x is a number.
        log_y: where a value is above 0.
        note: what is left out.
    """
    x = CategoryAxis.of(names) if names is not None else _axis([line.x for line in lines], log_x)
    values = [line.y for line in lines]
    y = _axis([*values, np.zeros(1)] if kind is PlotKind.BARS else values, log_y)
    if kind is PlotKind.BARS and y.log:
        y = replace(y, least=y.least / 2)  # else the lowest bar would be of no height
    return ResultPlot(x_name, y_name, kind, x, y, tuple(lines), note)


def _axis(values: list[Floats], log: bool) -> Axis:
    """Over all values, on a log axis over those above 0 where there are some."""
    axis = Axis.over(*values)
    above = [part[(part > 0) & (part < LARGEST)] for part in values]
    least = min((float(part.min()) for part in above if len(part)), default=None)
    return axis if not log or least is None else replace(axis, log=True, least=least)


def draw_result(plot: ResultPlot, width: int, height: int) -> Picture:
    """Legend, axes and the lines."""
    picture = Picture(width, height)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        if height:
            picture.put(0, 0, TOO_SMALL, Ink.TEXT)
        return picture
    inks = inks_of(line.name for line in plot.lines)
    legend = _legend(picture, plot, inks)
    picture.area = top, left, rows, columns = draw_axes(picture, plot.x, plot.y, legend, height - 2)
    cells = np.zeros((rows * CELL_HEIGHT, columns * CELL_WIDTH), dtype=np.bool_)
    inked = picture.inks[top : top + rows, left : left + columns]
    for index, (line, ink) in enumerate(zip(plot.lines, inks, strict=True)):
        dots = _drawn(plot, index, line, cells.shape, ink)
        cells |= dots
        inked[dots.reshape(rows, CELL_HEIGHT, columns, CELL_WIDTH).any(axis=(1, 3))] = ink
    picture.characters[top : top + rows, left : left + columns] = braille(cells)
    return picture


def result_figure(plot: ResultPlot) -> Figure:
    """The same as a figure for files."""
    marks: list[Line | Points | Band] = []
    for index, (line, ink) in enumerate(zip(plot.lines, inks_of(line.name for line in plot.lines), strict=True)):
        order = np.argsort(line.x, kind="stable")
        x, y, colour = line.x[order], line.y[order], COLOURS[ink]
        match plot.kind:
            case PlotKind.POINTS:
                marks.append(Points(line.name, colour, x, y))
            case PlotKind.LINE:
                marks.append(Line(line.name, colour, x, y, stroke_of(STYLES[ink])))
            case PlotKind.BARS:
                places, low, high = _edges(plot, index, x, y)
                marks += [Band(line.name, colour, places, low, high), Line("", colour, places, high)]
    return Figure(plot.title, plot.x_name, plot.y_name, plot.x, plot.y, tuple(marks))


def _bar(plot: ResultPlot, index: int) -> tuple[float, float]:
    """Where the bar of a line begins and ends beside its category."""
    width = BARS_WIDTH / len(plot.lines)
    start = index * width - BARS_WIDTH / 2
    return start, start + width


def _ground(plot: ResultPlot) -> float:
    """Where bars stand."""
    return plot.y.least if plot.y.log else 0.0


def _edges(plot: ResultPlot, index: int, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """The x, and the lower and the upper edge, of a band that is nothing between the bars."""
    shown = np.isfinite(y)
    x, y, ground = x[shown], y[shown], _ground(plot)
    start, stop = _bar(plot, index)
    flat, low, high = np.full(len(x), ground), np.minimum(y, ground), np.maximum(y, ground)
    return (
        np.column_stack([x + start, x + start, x + stop, x + stop]).ravel(),
        np.column_stack([flat, low, low, flat]).ravel(),
        np.column_stack([flat, high, high, flat]).ravel(),
    )


def inks_of(names: Iterable[str]) -> list[Ink]:
    """A colour for each line; a class has its own where a column is named after one."""
    named = list(names)
    free = iter([ink for ink in INKS if ink not in {CLASS_INKS.get(name) for name in named}])
    return [CLASS_INKS[name] if name in CLASS_INKS else next(free) for name in named]


def _legend(picture: Picture, plot: ResultPlot, inks: list[Ink]) -> int:
    """The lines, and x with what is to be known of the axes, in one row or in two; returns how many."""
    logs = "".join(f", log {name}" for name, axis in (("x", plot.x), ("y", plot.y)) if axis.log)
    label = f"→ {plot.x_name}{logs}" + (f"  {plot.note}" if plot.note else "")
    room = picture.width - 1
    width = sum(cell_len(line.name) + ENTRY for line in plot.lines)
    row = 0 if width + cell_len(label) < room else 1
    longest = room // max(len(plot.lines), 1) - ENTRY if width > room else room
    column = 1
    for line, ink in zip(plot.lines, inks, strict=True):
        name = _cut(line.name, longest)
        picture.put(0, column, "█" * 3 if plot.kind is PlotKind.BARS else line_sample(STYLES[ink]), ink)
        picture.put(0, column + 4, name, Ink.TEXT)
        column += cell_len(name) + ENTRY
    picture.put(row, max(room - cell_len(label), 1), label, Ink.AXIS)
    return row + 1


def _cut(name: str, width: int) -> str:
    return name if cell_len(name) <= width else set_cell_size(name, max(width - 1, 1)) + "…"


def _drawn(plot: ResultPlot, index: int, line: ResultLine, shape: tuple[int, int], ink: Ink) -> NDArray[np.bool_]:
    """The dots of a line, of what has a place on the axes."""
    x, y = plot.x.place(line.x), plot.y.place(line.y)
    shown = np.isfinite(x) & np.isfinite(y)
    if plot.kind is PlotKind.BARS:
        return _bars(plot, index, line.x[shown], y[shown], shape)
    return (_dots if plot.kind is PlotKind.POINTS else _line)(x[shown], y[shown], shape, ink)


def _bars(plot: ResultPlot, index: int, x: Floats, y: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """From the ground to each value, at least a dot wide."""
    height, width = shape
    dots = np.zeros(shape, dtype=np.bool_)
    starts, stops = (np.round(plot.x.place(x + edge) * width).astype(np.int64) for edge in _bar(plot, index))
    ground = float(np.clip(plot.y.place(_ground(plot)), 0, 1))
    lows, highs = np.minimum(y, ground), np.maximum(y, ground)
    tops, bottoms = ((np.round((1 - np.clip(part, 0, 1)) * (height - 1))).astype(np.int64) for part in (highs, lows))
    for start, stop, top, bottom in zip(starts, stops, tops, bottoms, strict=True):
        dots[top : bottom + 1, max(start, 0) : max(stop, start + 1)] = True
    return dots


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
