"""A plot as an SVG picture, in the colours of the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.charts.picture import Ink
from engine.figures.figure import Band, Colour, Figure, Level, Line, Points, Stroke

if TYPE_CHECKING:
    from dear_tui.charts.plot import Plot, Series, Span
    from dear_tui.charts.raster import LineStyle

COLOURS = {
    Ink.MASKED: Colour.MASKED,
    Ink.NON_CRITICAL: Colour.NON_CRITICAL,
    Ink.CRITICAL: Colour.CRITICAL,
    Ink.METRIC: Colour.METRIC,
    Ink.FINAL: Colour.CRITICAL,
    Ink.AXIS: Colour.BLACK,
    Ink.BAND: Colour.BLACK,
    Ink.OVERLAY_0: Colour.FIRST_LINE,
    Ink.OVERLAY_1: Colour.SECOND_LINE,
    Ink.OVERLAY_2: Colour.THIRD_LINE,
    Ink.OVERLAY_3: Colour.FOURTH_LINE,
    Ink.OVERLAY_4: Colour.BLACK,
    Ink.SCREENED: Colour.SCREENED,
}


def figure_of(plot: Plot) -> Figure:
    """What is shown of the x axis."""
    return Figure(
        title=plot.title,
        x_name=plot.x_name,
        y_name=plot.y_name,
        x=plot.x,
        y=plot.y,
        marks=(*map(_band, plot.bands), *map(_mark, plot.series)),
        levels=tuple(Level(COLOURS[level.ink], level.value) for level in plot.levels),
        levels_note=plot.levels_note,
        right_ticks=plot.right_ticks,
        right_name=plot.right_name,
    )


def _band(band: Span) -> Band:
    return Band(band.name, COLOURS[band.ink], band.x, band.low, band.high)


def stroke_of(style: LineStyle) -> Stroke:
    """A line's pattern, in pixels."""
    return Stroke((2.0 * style.on, 2.0 * style.off) if style.off else (), 2.2 if style.thickness > 1 else 1.4)


def _mark(series: Series) -> Line | Points:
    colour = COLOURS[series.ink]
    if series.style is None:
        return Points(series.label, colour, series.x, series.y)
    return Line(series.label, colour, series.x, series.y, stroke_of(series.style), series.scale)
