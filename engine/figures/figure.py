"""What a figure shows: lines, points and bands over two axes, whatever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.figures.axis import Axis

    Floats = NDArray[np.float64]


class Colour(StrEnum):
    """What a colour stands for; `svg.COLOURS` says which one it is. Lines that stand for no severity have their own."""

    MASKED = "masked"
    NON_CRITICAL = "non-critical"
    CRITICAL = "critical"
    SCREENED = "screened"
    METRIC = "metric"
    BLACK = "black"
    FIRST_LINE = "first line"
    SECOND_LINE = "second line"
    THIRD_LINE = "third line"
    FOURTH_LINE = "fourth line"


@dataclass(frozen=True)
class Stroke:
    """How a line is drawn: dashes tell lines apart without colour."""

    dashes: tuple[float, ...] = ()
    """lengths of what is drawn and what is left out, in turns, in pixels; none: a solid line"""
    width: float = 1.4


@dataclass(frozen=True, eq=False)
class Line:
    """Values joined by straight lines."""

    label: str
    colour: Colour
    x: Floats
    """[n], never falling"""
    y: Floats
    """[n]"""
    stroke: Stroke = Stroke()
    scale: float | None = None
    """drawn over the right axis, which goes from 0 to this"""


@dataclass(frozen=True, eq=False)
class Points:
    """A dot for each value."""

    label: str
    colour: Colour
    x: Floats
    """[n]"""
    y: Floats
    """[n]"""


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two lines."""

    label: str
    colour: Colour
    x: Floats
    """[n], never falling"""
    low: Floats
    """[n]"""
    high: Floats
    """[n]"""


@dataclass(frozen=True)
class Level:
    """A dotted horizontal line over the whole width."""

    colour: Colour
    value: float


@dataclass(frozen=True, eq=False)
class Figure:
    """Everything that is drawn."""

    title: str
    x_name: str
    """with its unit"""
    y_name: str
    x: Axis
    y: Axis
    marks: tuple[Line | Points | Band, ...]
    levels: tuple[Level, ...] = ()
    levels_note: str = ""
    """what they mean, for the legend"""
    right_ticks: tuple[tuple[float, str], ...] = ()
    """of the right axis: height in shares, label"""
    right_name: str = ""
    """of the right axis, with its unit"""
