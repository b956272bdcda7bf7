"""A figure as SVG: a file of its own, or an element of a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from engine.figures.figure import Band, Colour, Line, Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engine.figures.figure import Figure, Level

WIDTH, HEIGHT = 800, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 50, 70, 50
COLUMNS, ROWS = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

INK, PAPER = "#222222", "white"
COLOURS: Mapping[Colour, str] = {
    Colour.CRITICAL: "#c62828",
    Colour.NON_CRITICAL: "#e09f00",
    Colour.MASKED: "#5f7f9c",
    Colour.SCREENED: "#9e9e9e",
    Colour.METRIC: "#7e57c2",
    Colour.BLACK: INK,
    Colour.FIRST_LINE: "#1558d6",
    Colour.SECOND_LINE: "#2e7d32",
    Colour.THIRD_LINE: "#b8129a",
    Colour.FOURTH_LINE: "#00838f",
}

ENTRY_WIDTH = 7
"""of a legend's character, about"""


def to_svg(figure: Figure, place_in_page: int | None = None) -> str:
    """Draw a figure.

    Args:
        figure: what is drawn.
        place_in_page: as the so manieth figure of a page, whose text colour it takes, on the page's own ground; None:
            as a file of its own.
    """
    return "\n".join(_Drawing(figure, place_in_page).parts()) + "\n"


class _Drawing:
    """One figure."""

    def __init__(self, figure: Figure, place_in_page: int | None) -> None:
        self._figure = figure
        self._inline = place_in_page is not None
        self._area = f"area{'' if place_in_page is None else place_in_page}"
        """an id, which is known in the whole page"""
        self._ink = "currentColor" if self._inline else INK
        self._colours = {**COLOURS, Colour.BLACK: self._ink}

    def parts(self) -> Iterator[str]:
        """The element, line by line."""
        figure = self._figure
        size = 'width="100%"' if self._inline else f'width="{WIDTH}" height="{HEIGHT}"'
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {size} role="img" '
            'font-family="Helvetica, Arial, sans-serif" font-size="12">'
        )
        yield f"<title>{escape(figure.title)}</title>"
        if not self._inline:
            yield f'<rect width="100%" height="100%" fill="{PAPER}"/>'
        yield f'<clipPath id="{self._area}"><rect x="{LEFT}" y="{TOP}" width="{COLUMNS}" height="{ROWS}"/></clipPath>'
        yield self._text(WIDTH / 2, 20, figure.title, "middle", 14)
        yield from self._axes()
        yield from self._legend()
        yield f'<g clip-path="url(#{self._area})" fill="none">'
        yield from map(self._level, figure.levels)
        for mark in figure.marks:
            yield from self._mark(mark)
        yield "</g></svg>"

    def _axes(self) -> Iterator[str]:
        figure, ink = self._figure, self._ink
        yield f'<rect x="{LEFT}" y="{TOP}" width="{COLUMNS}" height="{ROWS}" fill="none" stroke="{ink}"/>'
        ticks = figure.x.ticks(9)
        for tick, label in zip(ticks, figure.x.labels(ticks), strict=True):
            x = LEFT + float(figure.x.place(tick)) * COLUMNS
            yield f'<path d="M{x:.1f} {TOP + ROWS}v5" stroke="{ink}"/>'
            yield self._text(x, TOP + ROWS + 18, label, "middle")
        ticks = figure.y.ticks(7)
        for tick, label in zip(ticks, figure.y.labels(ticks), strict=True):
            y = TOP + (1 - float(figure.y.place(tick))) * ROWS
            yield f'<path d="M{LEFT} {y:.1f}h-5" stroke="{ink}"/>'
            yield self._text(LEFT - 8, y + 4, label, "end")
        for share, label in figure.right_ticks:
            y = TOP + (1 - share) * ROWS
            yield f'<path d="M{LEFT + COLUMNS} {y:.1f}h5" stroke="{ink}"/>'
            yield self._text(LEFT + COLUMNS + 8, y + 4, label, "start", colour=self._colours[Colour.METRIC])
        yield self._text(LEFT + COLUMNS / 2, HEIGHT - 12, figure.x_name, "middle")
        y = TOP + ROWS / 2
        yield f'<g transform="rotate(-90 16 {y})">{self._text(16, y, figure.y_name, "middle")}</g>'
        if figure.right_name:
            x, colour = WIDTH - 12, self._colours[Colour.METRIC]
            name = self._text(x, y, figure.right_name, "middle", colour=colour)
            yield f'<g transform="rotate(90 {x} {y})">{name}</g>'

    def _legend(self) -> Iterator[str]:
        x, y = float(LEFT), 40.0
        for mark in self._figure.marks:
            if not mark.label:
                continue
            if x + 30 + len(mark.label) * ENTRY_WIDTH > WIDTH - RIGHT and x > LEFT:
                x, y = float(LEFT), y + 16
            colour = self._colours[mark.colour]
            if isinstance(mark, Points):
                yield f'<circle cx="{x + 10}" cy="{y - 4}" r="2.5" fill="{colour}"/>'
            elif isinstance(mark, Band):
                yield f'<rect x="{x:.1f}" y="{y - 9}" width="22" height="10" fill="{colour}" fill-opacity="0.25"/>'
            else:
                yield f'<path d="M{x:.1f} {y - 4}h22" {self._stroke(mark)}/>'
            yield self._text(x + 28, y, mark.label, "start")
            x += 28 + len(mark.label) * ENTRY_WIDTH + 14
        if self._figure.levels_note:
            yield self._text(WIDTH - RIGHT, TOP - 6, f"dotted: {self._figure.levels_note}", "end")

    def _mark(self, mark: Line | Points | Band) -> Iterator[str]:
        if isinstance(mark, Band):
            yield from self._band(mark)
            return
        x = self._figure.x.place(mark.x)
        scale = mark.scale if isinstance(mark, Line) else None
        y = mark.y / scale if scale is not None else self._figure.y.place(mark.y)
        shown = ~(np.isnan(x) | np.isnan(y))
        if isinstance(mark, Points):
            dots = "".join(f"M{column:g} {row:g}h.01" for column, row in _distinct(x[shown], y[shown]))
            if dots:  # one path, whose ends are round, is a third as long as circles are
                yield (
                    f'<path d="{dots}" stroke="{self._colours[mark.colour]}" stroke-opacity="0.6" stroke-width="4" '
                    'stroke-linecap="round"/>'
                )
        elif shown.any():
            yield f'<polyline points="{_joined(_corners(x[shown], y[shown]))}" {self._stroke(mark)}/>'

    def _band(self, band: Band) -> Iterator[str]:
        x, low, high = self._figure.x.place(band.x), self._figure.y.place(band.low), self._figure.y.place(band.high)
        low = np.where(np.isnan(low), 0.0, low)  # below a log axis
        shown = ~(np.isnan(x) | np.isnan(high))
        if shown.any():
            edges = [*_corners(x[shown], low[shown]), *reversed(_corners(x[shown], high[shown]))]
            colour = self._colours[band.colour]
            yield f'<polygon points="{_joined(edges)}" fill="{colour}" fill-opacity="0.25"/>'

    def _level(self, level: Level) -> str:
        y = TOP + (1 - float(self._figure.y.place(level.value))) * ROWS
        return f'<path d="M{LEFT} {y:.1f}h{COLUMNS}" stroke="{self._colours[level.colour]}" stroke-dasharray="2 5"/>'

    def _stroke(self, line: Line) -> str:
        dashes = " ".join(f"{length:g}" for length in line.stroke.dashes) or "none"
        return f'stroke="{self._colours[line.colour]}" stroke-width="{line.stroke.width}" stroke-dasharray="{dashes}"'

    def _text(self, x: float, y: float, text: str, anchor: str, size: int = 12, colour: str | None = None) -> str:
        return (
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{colour or self._ink}">{escape(text)}</text>'
        )


def _pixels(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, 2] in half pixels: finer is not seen, and files stay small."""
    return np.round(np.column_stack([LEFT + x * COLUMNS, TOP + (1 - y) * ROWS]) * 2) / 2


def _distinct(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    """Where dots lie, in whole pixels: they are four wide."""
    inside = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
    points: list[list[float]] = np.unique(np.round(_pixels(x[inside], y[inside])), axis=0).tolist()
    return points


def _corners(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    """Of a line, without points that lie on the one before, nor on a level or upright part of it."""
    first, last = np.searchsorted(x, 0.0), np.searchsorted(x, 1.0, side="right")
    points = _pixels(x, y)[max(first - 1, 0) : last + 1]
    points = points[np.concatenate([[True], (np.diff(points, axis=0) != 0).any(axis=1)])]
    if len(points) > 2:
        turns = np.sign(np.diff(points, axis=0))  # along one axis only, and on in the same direction
        is_between = ((turns[:-1] == turns[1:]).all(axis=1)) & (turns[1:] == 0).any(axis=1)
        points = points[np.concatenate([[True], ~is_between, [True]])]
    kept: list[list[float]] = points.tolist()
    return kept


def _joined(points: list[list[float]]) -> str:
    return " ".join(f"{column:g},{row:g}" for column, row in points)
