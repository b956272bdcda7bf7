"""What a chart shows: lines, points, levels, and what the cursor and an export can say of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dear_tui.charts.picture import Ink
from dear_tui.charts.raster import LineStyle
from engine.figures.axis import Axis, round_step
from engine.severity import NOT_RUN_NAMES, SEVERITIES, SEVERITY_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dear_tui.charts.view import ChartView

    Floats = NDArray[np.float64]

CLASS_INKS = {name: Ink[name.upper()] for name in (*SEVERITIES, NOT_RUN_NAMES[0])}
"""column or field -> ink"""
CLASSES = dict(zip((Ink.MASKED, Ink.NON_CRITICAL, Ink.CRITICAL), SEVERITY_NAMES, strict=True))
STYLES = {
    Ink.BAND: LineStyle(1, 7),
    Ink.FINAL: LineStyle(1, 3),
    Ink.METRIC: LineStyle(1, 1),
    Ink.MASKED: LineStyle(),
    Ink.NON_CRITICAL: LineStyle(4, 4),
    Ink.CRITICAL: LineStyle(thickness=2),
    Ink.SCREENED: LineStyle(6, 3),
}


@dataclass(frozen=True, eq=False)
class Series:
    """A line of steps, or points where it has no style."""

    name: str
    ink: Ink
    x: Floats
    """[n], never falling unless points"""
    y: Floats
    """[n]"""
    style: LineStyle | None
    note: str = ""
    """for the legend, after the name"""
    scale: float | None = None
    """drawn over the right axis, which goes from 0 to this"""

    @property
    def label(self) -> str:
        """The line's name for the legend."""
        return f"{self.name} {self.note}".strip()


@dataclass(frozen=True, eq=False)
class Span:
    """What lies between two lines."""

    name: str
    ink: Ink
    x: Floats
    """[n], never falling"""
    low: Floats
    """[n]"""
    high: Floats
    """[n]"""


@dataclass(frozen=True)
class Level:
    """A horizontal line over the whole width."""

    ink: Ink
    value: float


@dataclass(frozen=True, eq=False)
class Readings:
    """The places the cursor can stand on."""

    x: Floats
    """[n], never falling"""
    keys: NDArray[np.int64]
    """[n] what the cursor holds on to while the data grow"""
    weight: Floats
    """[n] among those in one column the cursor takes the heaviest"""
    describe: Callable[[int], list[str]]
    """of one place, in parts that stay whole where they need two rows"""
    y: Floats | None = None
    """[n] where the cursor marks a point"""

    def find(self, cursor: int | None) -> int | None:
        """The index of a key."""
        found = [] if cursor is None else np.flatnonzero(self.keys == cursor).tolist()
        return found[0] if found else None


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers behind a plot."""

    columns: dict[str, NDArray[Any]]
    """name -> [n]"""
    x: Floats
    """[n] where each row lies"""


@dataclass(frozen=True, eq=False)
class Plot:
    """Everything that is drawn, exported and read out."""

    title: str
    """what is drawn, of which campaign"""
    x_name: str
    """with its unit"""
    y_name: str
    short_names: tuple[str, str]
    """of the x and the y axis, for a place without room"""
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    readings: Readings
    numbers: Numbers
    sql: str
    """the query behind it"""
    hidden: tuple[tuple[Ink, str], ...] = ()
    """classes that could be shown"""
    levels: tuple[Level, ...] = ()
    levels_note: str = ""
    """for the legend"""
    right_ticks: tuple[tuple[float, str], ...] = field(default=())
    """of the right axis: height in shares, label"""
    right_name: str = ""
    """of the right axis, with its unit"""
    bands: tuple[Span, ...] = ()

    @property
    def heading(self) -> str:
        """The axes in one line, with an arrow along each."""
        return f"↑ {self.y_name}  → {self.x_name}"

    @property
    def small_heading(self) -> str:
        """The same, for a place without room."""
        x, y = self.short_names
        return f"↑ {y} → {x}"

    def without_right_axis(self) -> Plot:
        """The same without what is drawn over that axis."""
        return replace(
            self, series=tuple(one for one in self.series if one.scale is None), right_ticks=(), right_name=""
        )

    @property
    def least_window(self) -> float:
        """The smallest part of the x axis that is worth showing."""
        return 1 / 256 if self.x.log else max(8 / max(len(self.readings.x), 1), 1e-6)


def classes_of(screened: NDArray[Any], view: ChartView) -> tuple[dict[Ink, str], dict[Ink, str]]:
    """The classes that a view shows and those that it hides, each by its ink; screened ones only where there are some.

    A screened fault or pair is hidden with the masked ones: most are, and both lines rise far above the critical one.
    """
    classes = CLASSES | ({Ink.SCREENED: NOT_RUN_NAMES[0]} if screened.any() else {})
    hidden = view.hidden | ({Ink.SCREENED} if Ink.MASKED in view.hidden else set())
    shown = {ink: name for ink, name in classes.items() if ink not in hidden}
    return shown, {ink: name for ink, name in classes.items() if ink in hidden}


def by_ink(counted: object) -> dict[Ink, NDArray[Any]]:
    """What something has of each class."""
    return {ink: getattr(counted, name) for name, ink in CLASS_INKS.items()}


def windowed(view: ChartView, axis: Axis) -> Axis:
    """The x axis as the view has it."""
    return replace(axis, log=bool(view.log_x), window=view.window)


def in_window(axis: Axis, x: Floats) -> NDArray[np.bool_]:
    """Which of some values are on what is shown."""
    places = axis.place(x)
    return (places >= 0) & (places <= 1)


def fitted(
    axis: Axis,
    series: tuple[Series, ...],
    levels: tuple[Level, ...],
    most: float,
    view: ChartView,
    percent: bool = False,
) -> Axis:
    """A y axis for what is shown, so that hiding or zooming enlarges the rest; round, so that it seldom moves."""
    highest = max([1e-3, *(_highest(axis, one) for one in series if one.scale is None)])
    highest = max([highest, *(level.value for level in levels)])
    if not percent:
        highest = max(highest, 1.0)
    step = round_step(highest / 5, percent)
    high = min(np.ceil(highest / step - 1e-9) * step, most)
    lowest = min((_lowest(axis, one) for one in series if one.scale is None), default=1.0)
    least = _rounded_down(min(lowest, high / 10))
    return Axis(float(high), view.log, least=max(least, 0.01 if percent else 1), fractions=percent)


def _rounded_down(number: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    magnitude = 10.0 ** np.floor(np.log10(number))
    return float(magnitude * max(step for step in (1, 2, 5) if step * magnitude <= number * (1 + 1e-9)))


def _lowest(axis: Axis, series: Series) -> float:
    """The lowest value that is shown and has a place on a log axis."""
    shown = series.y[in_window(axis, series.x) & (series.y > 0)]
    return float(shown.min(initial=series.y.max(initial=1.0)))


def _highest(axis: Axis, series: Series) -> float:
    """The highest value that is shown; a line comes into the window with the last value before it."""
    shown = in_window(axis, series.x)
    if series.style is not None and len(series.x):
        start = int(np.searchsorted(series.x, axis.value(0), side="right")) - 1
        shown[max(start, 0)] |= start >= 0
    return float(series.y[shown].max(initial=0.0))
