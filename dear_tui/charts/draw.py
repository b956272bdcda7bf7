"""A plot as a grid of characters and inks: legend, axes, lines and points in braille, the cursor."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plot import STYLES, Plot, Series, Span
from dear_tui.charts.raster import CELL_HEIGHT, CELL_WIDTH, SHADES, LineStyle, braille, count_points, shades, trace_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dear_tui.charts.picture import Area
    from dear_tui.charts.view import ChartView
    from engine.figures.axis import Axis

LEAST_WIDTH, LEAST_HEIGHT = 40, 10
LEAST_SMALL_WIDTH, LEAST_SMALL_HEIGHT = 20, 6
LEAST_TITLED_HEIGHT = 14
LEAST_ROWS = 3
"""that a legend leaves for the plot"""
LEAST_TICKS = 3
"""of a y axis: with fewer there may be none beside 0"""
TOO_SMALL = "enlarge the terminal for the chart"
BAND_GLYPH = "░"
RIGHT = 4
"""columns of the right axis and its labels"""


def draw_plot(plot: Plot, view: ChartView, width: int, height: int, small: bool = False) -> Picture:
    """The whole picture.

    Args:
        small: a heading instead of the legend, for a place beside another chart.
    """
    picture = Picture(width, height)
    least = (LEAST_SMALL_WIDTH, LEAST_SMALL_HEIGHT) if small else (LEAST_WIDTH, LEAST_HEIGHT)
    if width < least[0] or height < least[1]:
        if height and not small:
            picture.put(0, 0, TOO_SMALL, Ink.TEXT)
        return picture
    index = plot.readings.find(view.cursor)
    reading = _in_rows(plot.readings.describe(index), width - 2) if index is not None else []
    if small:
        picture.put(0, 1, plot.small_heading, Ink.AXIS)
        top = 1
    else:
        top = _draw_title(picture, plot, view) if height >= LEAST_TITLED_HEIGHT else 0
        top = _draw_legend(picture, plot, view, top, height - len(reading) - 2 - LEAST_ROWS)
    picture.area = draw_axes(picture, plot.x, plot.y, top, height - 2 - len(reading), plot.right_ticks)
    for band in plot.bands:
        _draw_band(picture, plot, band)
    _draw_lines(picture, plot)
    _draw_points(picture, plot, view)
    if index is not None:
        _draw_cursor(picture, plot, index)
    for row, text in enumerate(reading, start=height - len(reading)):
        picture.put(row, 1, text, Ink.TEXT)
    return picture


def draw_sentence(sentence: str, width: int, height: int) -> Picture:
    """Lines of text in the middle, where there is nothing to plot."""
    picture = Picture(width, height)
    lines = [row for line in sentence.splitlines() for row in textwrap.wrap(line, max(width - 4, 1)) or [""]]
    for row, line in enumerate(lines[:height], start=max((height - len(lines)) // 2, 0)):
        picture.put(row, max((width - len(line)) // 2, 0), line, Ink.TEXT)
    return picture


def _in_rows(parts: list[str], width: int) -> list[str]:
    """What the cursor reads, in one row or, where it is too long for that, in more."""
    rows = [""]
    for part in parts:
        if rows[-1] and cell_len(rows[-1]) + 2 + cell_len(part) > width:
            rows.append("")
        rows[-1] += f"  {part}" if rows[-1] else part
    return rows


def _draw_title(picture: Picture, plot: Plot, view: ChartView) -> int:
    """What is drawn and what its axes are, in one row or two; returns how many."""
    title = f"‖ frozen: {plot.title}" if view.frozen else plot.title
    picture.put(0, 1, title, Ink.TITLE)
    column = 1 + cell_len(title) + 3
    if column + cell_len(plot.heading) <= picture.width:
        picture.put(0, column, plot.heading, Ink.AXIS)
        return 1
    for row, words in enumerate(_in_rows(plot.heading.split("  "), picture.width - 2), start=1):
        picture.put(row, 1, words, Ink.AXIS)
    return row + 1


def _draw_legend(picture: Picture, plot: Plot, view: ChartView, top: int, most: int) -> int:
    """Entries in as many rows as they need and may have; returns the row after them.

    Args:
        picture: to draw on.
        plot: whose lines are named.
        view: what of it is shown.
        top: the first row; 0 where there is no title, so that the axes are named here.
        most: rows that title and legend may have.
    """
    row, column = top, 1
    if not top:
        heading = "‖ frozen" if view.frozen else plot.small_heading
        picture.put(0, 1, heading, Ink.FINAL if view.frozen else Ink.AXIS)
        column = len(heading) + 3
    for ink, sample, text in _entries(plot, view):
        if column + len(sample) + 1 + cell_len(text) > picture.width and column > 1:
            row, column = row + 1, 1
        if row >= most:
            return most
        is_shown = bool(sample.strip())
        picture.put(row, column, sample, ink if is_shown else Ink.AXIS)
        picture.put(row, column + len(sample) + 1, text, Ink.TEXT if is_shown else Ink.AXIS)
        column += len(sample) + 1 + cell_len(text) + 2
    return row + 1


def _entries(plot: Plot, view: ChartView) -> list[tuple[Ink, str, str]]:
    """Ink, sample and words; what is hidden has a blank sample. The right axis and the levels come last."""
    entries = [
        (series.ink, line_sample(series.style) if series.style else SHADES if view.density else "⢌⠢", series.label)
        for series in sorted(plot.series, key=lambda series: series.scale is not None)
    ]
    hidden = [(ink, "   ", f"{name} hidden") for ink, name in plot.hidden]
    # a class keeps its place whether hidden or not
    entries = sorted(entries + hidden, key=lambda entry: entry[0] if entry[0] > Ink.METRIC else 100)
    entries += [(band.ink, BAND_GLYPH * 3, band.name) for band in plot.bands]
    if plot.levels_note:
        entries.append((Ink.FINAL, line_sample(STYLES[Ink.FINAL]), plot.levels_note))
    return entries


def line_sample(style: LineStyle) -> str:
    """Three cells of a line, in the middle of their height."""
    line = trace_at(np.array([0.0, 1.0]), np.full(2, 0.4), 3 * CELL_WIDTH, CELL_HEIGHT, style)
    return "".join(map(chr, braille(line)[0]))


def draw_axes(
    picture: Picture, x: Axis, y: Axis, top: int, base: int, right_ticks: Sequence[tuple[float, str]] = ()
) -> Area:
    """Both axes with their ticks, and the right one where there is one; returns the area between them."""
    rows = base - top
    ticks = y.ticks(max(rows // 3 + 1, LEAST_TICKS))
    labels = dict(zip(ticks, y.labels(ticks), strict=True))
    left = max(map(len, labels.values()), default=1) + 2
    columns = picture.width - left - (RIGHT if right_ticks else 2)
    for row in range(top, base):
        picture.put(row, left - 1, "│", Ink.AXIS)
        picture.put(row, left + columns, "│", Ink.AXIS)
    picture.put(base, left - 1, "└" + "─" * columns + "┘", Ink.AXIS)
    for tick, label in labels.items():
        row = top + int((1 - float(y.place(tick))) * (rows - 1) + 0.5)
        picture.put(row, left - 1 - len(label), label, Ink.AXIS)
        picture.put(row, left - 1, "┤", Ink.AXIS)
    x_ticks = x.ticks(columns // (10 if columns > LEAST_WIDTH else 7) + 1)
    for tick, label in zip(x_ticks, x.labels(x_ticks), strict=True):
        column = left + int(float(x.place(tick)) * (columns - 1) + 0.5)
        picture.put(base, column, "┬", Ink.AXIS)
        start = min(max(column - cell_len(label) // 2, 0), picture.width - cell_len(label))
        picture.put(base + 1, start, label, Ink.AXIS)
    for share, label in right_ticks:
        row = top + int((1 - share) * (rows - 1) + 0.5)
        picture.put(row, left + columns, "├", Ink.AXIS)
        picture.put(row, left + columns + 2, label, Ink.METRIC)
    return top, left, rows, columns


def _draw_lines(picture: Picture, plot: Plot) -> None:
    """Levels below, then the series in their order, so that the last one is on top."""
    top, left, rows, columns = picture.area
    both = np.array([0.0, 1.0])
    lines: list[tuple[Ink, LineStyle, NDArray[np.float64], NDArray[np.float64]]] = [
        (level.ink, STYLES[level.ink], both, plot.y.place([level.value] * 2)) for level in plot.levels
    ]
    for series in plot.series:
        if series.style is not None:
            lines.append((series.ink, series.style, *_places(plot, series)))
    dots = np.zeros((rows * CELL_HEIGHT, columns * CELL_WIDTH), dtype=np.bool_)
    inks = picture.inks[top : top + rows, left : left + columns]
    for ink, style, x, y in lines:
        line = trace_at(x, y, dots.shape[1], dots.shape[0], style)
        dots |= line
        inks[line.reshape(rows, CELL_HEIGHT, columns, CELL_WIDTH).any(axis=(1, 3))] = ink
    cells = braille(dots)
    drawn = cells != ord(" ")
    picture.characters[top : top + rows, left : left + columns][drawn] = cells[drawn]


def _draw_band(picture: Picture, plot: Plot, band: Span) -> None:
    """Shade the cells between two lines, by what they are in the middle of each column."""
    top, left, rows, columns = picture.area
    centers = np.array([plot.x.value((column + 0.5) / columns) for column in range(columns)])
    at = np.searchsorted(band.x, centers, side="right") - 1
    known = (at >= 0) & (centers <= band.x[-1] if len(band.x) else False)
    low, high = (plot.y.place(edge[np.maximum(at, 0)]) for edge in (band.low, band.high))
    cells = (1 - (np.arange(rows) + 0.5) / rows)[:, None]
    half = 0.5 / rows
    inside = known & (cells + half >= np.nan_to_num(low)) & (cells - half <= np.nan_to_num(high, nan=-1.0))
    picture.characters[top : top + rows, left : left + columns][inside] = ord(BAND_GLYPH)
    picture.inks[top : top + rows, left : left + columns][inside] = band.ink


def _places(plot: Plot, series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a series lies, without what has no place on a log x axis."""
    x = plot.x.place(series.x)
    y = series.y / series.scale if series.scale is not None else plot.y.place(series.y)
    shown = ~np.isnan(x)
    return x[shown], y[shown]


def _draw_points(picture: Picture, plot: Plot, view: ChartView) -> None:
    top, left, rows, columns = picture.area
    for series in plot.series:
        if series.style is not None:
            continue
        x, y = _places(plot, series)
        if view.density:
            cells = shades(count_points(x, y, columns, rows))
        else:
            cells = braille(count_points(x, y, columns * CELL_WIDTH, rows * CELL_HEIGHT) > 0)
        shown = cells != ord(" ")
        picture.characters[top : top + rows, left : left + columns][shown] = cells[shown]
        picture.inks[top : top + rows, left : left + columns][shown] = series.ink


def _draw_cursor(picture: Picture, plot: Plot, cursor: int) -> None:
    """A line at the reading where nothing else is, and a mark on its point."""
    top, left, rows, columns = picture.area
    readings = plot.readings
    place = float(plot.x.place(readings.x[cursor]))
    if 0 <= place <= 1:
        column = left + int(place * (columns - 1) + 0.5)
        blank = picture.characters[top : top + rows, column] == ord(" ")
        picture.characters[top : top + rows, column][blank] = ord("│")
        picture.inks[top : top + rows, column][blank] = Ink.CURSOR
        if readings.y is not None:
            height = float(plot.y.place(readings.y[cursor]))
            if 0 <= height <= 1:
                picture.put(top + int((1 - height) * (rows - 1) + 0.5), column, "◆", Ink.CURSOR)
