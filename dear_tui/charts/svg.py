"""A plot as an SVG picture, in the colours of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.charts.picture import Ink
from engine.figures import svg
from engine.figures.figure import Colour, Figure, Level, Line, Points, Stroke

if TYPE_CHECKING:
    from dear_tui.charts.plot import Plot, Series
    from dear_tui.charts.raster import LineStyle

COLOURS = {
    Ink.MASKED: Colour.MASKED,
    Ink.NON_CRITICAL: Colour.NON_CRITICAL,
    Ink.CRITICAL: Colour.CRITICAL,
    Ink.METRIC: Colour.METRIC,
    Ink.FINAL: Colour.CRITICAL,
    Ink.BAND: Colour.BLACK,
    Ink.OVERLAY_0: Colour.CRITICAL,
    Ink.OVERLAY_1: Colour.MASKED,
    Ink.OVERLAY_2: Colour.METRIC,
    Ink.OVERLAY_3: Colour.NON_CRITICAL,
    Ink.OVERLAY_4: Colour.BLACK,
    Ink.SCREENED: Colour.SCREENED,
}


def figure_of(plot: Plot) -> Figure:
    """What is shown of the x axis, for files."""
    return Figure(
        title=plot.title,
        x_name=plot.x_name,
        y_name=plot.y_name,
        x=plot.x,
        y=plot.y,
        marks=tuple(map(_mark, plot.series)),
        levels=tuple(Level(COLOURS[level.ink], level.value) for level in plot.levels),
        levels_note=plot.levels_note,
        right_ticks=plot.right_ticks,
    )


def to_svg(figure: Figure) -> str:
    """The picture, white behind."""
    return svg.to_svg(figure, svg.PUBLISHED)


def stroke_of(style: LineStyle) -> Stroke:
    """A line's pattern, in pixels."""
    return Stroke((2.0 * style.on, 2.0 * style.off) if style.off else (), 2.2 if style.thickness > 1 else 1.4)


def _mark(series: Series) -> Line | Points:
    colour = COLOURS[series.ink]
    if series.style is None:
        return Points(series.label, colour, series.x, series.y)
    return Line(series.label, colour, series.x, series.y, stroke_of(series.style), series.scale)
