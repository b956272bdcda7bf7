"""A plot as an SVG picture, in the colours of the paper."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.axis import tick_labels
from dear_tui.charts.picture import Ink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dear_tui.charts.plot import Plot, Series

WIDTH, HEIGHT = 800, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 50, 70, 50
COLUMNS, ROWS = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
MASKED, NON_CRITICAL, CRITICAL, METRIC, BLACK, GREY = "#1f4fd8", "#d62728", "#2ca02c", "#a23b2a", "#222222", "#7f7f7f"
COLOURS = {
    Ink.MASKED: MASKED,
    Ink.NON_CRITICAL: NON_CRITICAL,
    Ink.CRITICAL: CRITICAL,
    Ink.METRIC: METRIC,
    Ink.FINAL: CRITICAL,
    Ink.BAND: BLACK,
    Ink.OVERLAY_0: CRITICAL,
    Ink.OVERLAY_1: MASKED,
    Ink.OVERLAY_2: METRIC,
    Ink.OVERLAY_3: NON_CRITICAL,
    Ink.OVERLAY_4: BLACK,
    Ink.SCREENED: GREY,
}
ENTRY_WIDTH = 7
"""of a legend's character, about"""


def to_svg(plot: Plot) -> str:
    """The picture, white behind, of what is shown of the x axis."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f"<title>{escape(plot.title)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<clipPath id="area"><rect x="{LEFT}" y="{TOP}" width="{COLUMNS}" height="{ROWS}"/></clipPath>',
        _text(WIDTH / 2, 20, plot.title, "middle", 14),
        *_axes(plot),
        *_legend(plot),
        '<g clip-path="url(#area)" fill="none">',
        *(_level(COLOURS[level.ink], float(plot.y.place(level.value))) for level in plot.levels),
        *(part for series in plot.series for part in _series(plot, series)),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes(plot: Plot) -> Iterator[str]:
    yield f'<rect x="{LEFT}" y="{TOP}" width="{COLUMNS}" height="{ROWS}" fill="none" stroke="{BLACK}"/>'
    ticks = plot.x.ticks(9)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        x = LEFT + float(plot.x.place(tick)) * COLUMNS
        yield f'<path d="M{x:.1f} {TOP + ROWS}v5" stroke="{BLACK}"/>'
        yield _text(x, TOP + ROWS + 18, label, "middle")
    ticks = plot.y.ticks(7)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        y = TOP + (1 - float(plot.y.place(tick))) * ROWS
        yield f'<path d="M{LEFT} {y:.1f}h-5" stroke="{BLACK}"/>'
        yield _text(LEFT - 8, y + 4, label, "end")
    for share, label in plot.right_ticks:
        y = TOP + (1 - share) * ROWS
        yield f'<path d="M{LEFT + COLUMNS} {y:.1f}h5" stroke="{BLACK}"/>'
        yield _text(LEFT + COLUMNS + 8, y + 4, label, "start", colour=METRIC)
    yield _text(LEFT + COLUMNS / 2, HEIGHT - 12, plot.x_name, "middle")
    y = TOP + ROWS / 2
    yield f'<g transform="rotate(-90 16 {y})">{_text(16, y, plot.y_name, "middle")}</g>'


def _legend(plot: Plot) -> Iterator[str]:
    x, y = float(LEFT), 40.0
    for series in plot.series:
        if x + 30 + len(series.label) * ENTRY_WIDTH > WIDTH - RIGHT and x > LEFT:
            x, y = float(LEFT), y + 16
        colour = COLOURS[series.ink]
        if series.style is None:
            yield f'<circle cx="{x + 10}" cy="{y - 4}" r="2.5" fill="{colour}"/>'
        else:
            yield (
                f'<path d="M{x:.1f} {y - 4}h22" stroke="{colour}" stroke-width="{_thickness(series)}" '
                f'stroke-dasharray="{_dashes(series)}"/>'
            )
        yield _text(x + 28, y, series.label, "start")
        x += 28 + len(series.label) * ENTRY_WIDTH + 14
    if plot.levels_note:
        yield _text(WIDTH - RIGHT, TOP - 6, f"dotted: {plot.levels_note}", "end")


def _series(plot: Plot, series: Series) -> Iterator[str]:
    x = plot.x.place(series.x)
    y = series.y / series.scale if series.scale is not None else plot.y.place(series.y)
    shown = ~(np.isnan(x) | np.isnan(y))
    colour = COLOURS[series.ink]
    if series.style is None:
        for column, row in _distinct(x[shown], y[shown]):
            yield f'<circle cx="{column:g}" cy="{row:g}" r="2" fill="{colour}" fill-opacity="0.5"/>'
    elif shown.any():
        points = " ".join(f"{column:g},{row:g}" for column, row in _steps(x[shown], y[shown]))
        yield (
            f'<polyline points="{points}" stroke="{colour}" stroke-width="{_thickness(series)}" '
            f'stroke-dasharray="{_dashes(series)}"/>'
        )


def _pixels(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, 2] in half pixels: finer is not seen, and files stay small."""
    return np.round(np.column_stack([LEFT + x * COLUMNS, TOP + (1 - y) * ROWS]) * 2) / 2


def _distinct(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    inside = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
    points: list[list[float]] = np.unique(_pixels(x[inside], y[inside]), axis=0).tolist()
    return points


def _steps(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    """Without points that lie on the one before."""
    first, last = np.searchsorted(x, 0.0), np.searchsorted(x, 1.0, side="right")
    points = _pixels(x, y)[max(first - 1, 0) : last + 1]
    keep = np.concatenate([[True], (np.diff(points, axis=0) != 0).any(axis=1)])
    kept: list[list[float]] = points[keep].tolist()
    return kept


def _level(colour: str, place: float) -> str:
    y = TOP + (1 - place) * ROWS
    return f'<path d="M{LEFT} {y:.1f}h{COLUMNS}" stroke="{colour}" stroke-dasharray="2 5"/>'


def _thickness(series: Series) -> float:
    return 2.2 if series.style is not None and series.style.thickness > 1 else 1.4


def _dashes(series: Series) -> str:
    return "none" if series.style is None or not series.style.off else f"{series.style.on * 2} {series.style.off * 2}"


def _text(x: float, y: float, text: str, anchor: str, size: int = 12, colour: str = BLACK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
