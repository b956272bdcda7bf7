"""The detection curve as a grid of characters and inks (Fig. 2 of the paper); no Textual in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from dear_tui.human import short_count
from dear_tui.widgets.axis import Axis, round_step
from dear_tui.widgets.raster import CELL_HEIGHT, CELL_WIDTH, LineStyle, braille, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.store import CurveData

LEAST_WIDTH, LEAST_HEIGHT = 40, 10
TOO_SMALL = "enlarge the terminal for the chart"
BAND = 0.1
"""The dotted lines lie this share below and above the final count."""


class Ink(IntEnum):
    """What a cell belongs to; the widget gives each its colour."""

    TEXT = 0
    AXIS = 1
    BAND = 2
    FINAL = 3
    METRIC = 4
    MASKED = 5
    NON_CRITICAL = 6
    CRITICAL = 7


CLASSES = {Ink.MASKED: "masked", Ink.NON_CRITICAL: "non-critical", Ink.CRITICAL: "critical"}
STYLES = {
    Ink.BAND: LineStyle(1, 7),
    Ink.FINAL: LineStyle(1, 3),
    Ink.METRIC: LineStyle(1, 1),
    Ink.MASKED: LineStyle(),
    Ink.NON_CRITICAL: LineStyle(4, 4),
    Ink.CRITICAL: LineStyle(thickness=2),
}


@dataclass(frozen=True)
class View:
    """What of the curve is shown, and how."""

    log: bool = False
    asymptotes: bool = True
    hidden: frozenset[Ink] = frozenset()
    frozen: bool = False


@dataclass
class Picture:
    """Characters (code points) and inks, both [height, width]."""

    width: int
    height: int
    characters: NDArray[np.uint32] = field(init=False)
    inks: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self.characters = np.full((self.height, self.width), ord(" "), dtype=np.uint32)
        self.inks = np.zeros((self.height, self.width), dtype=np.uint8)

    def put(self, row: int, column: int, text: str, ink: Ink) -> None:
        """Write text, cut at the right edge."""
        end = min(column + len(text), self.width)
        self.characters[row, column:end] = [ord(character) for character in text[: end - column]]
        self.inks[row, column:end] = ink

    def rows(self) -> Iterator[str]:
        """The characters of each row, top first."""
        for row in self.characters:
            yield "".join(map(chr, row))


def draw_curve(curve: CurveData, view: View, width: int, height: int) -> Picture:
    """Legend, axes, the dotted lines, the metric and the three classes, the critical one on top."""
    picture = Picture(width, height)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        if height:
            picture.put(0, 0, TOO_SMALL, Ink.TEXT)
        return picture
    classes = class_curves(curve)
    y_axis = _y_axis(curve, classes, view)
    top = _draw_legend(picture, curve, classes, view)
    left = _draw_axes(picture, Axis(curve.images), y_axis, top)
    rows, columns = height - 2 - top, width - left - 4
    _draw_lines(picture, curve, classes, view, y_axis, (top, left, rows, columns))
    return picture


def class_curves(curve: CurveData) -> dict[Ink, NDArray[np.int64]]:
    """Faults per class after 0, 1, 2 ... images, int64 [done + 1]; before any image every fault is masked."""
    after = {Ink.MASKED: curve.masked, Ink.NON_CRITICAL: curve.non_critical, Ink.CRITICAL: curve.critical}
    return {ink: np.insert(counts, 0, curve.faults if ink is Ink.MASKED else 0) for ink, counts in after.items()}


def _y_axis(curve: CurveData, classes: dict[Ink, NDArray[np.int64]], view: View) -> Axis:
    """High enough for what is shown, so that hiding a class enlarges the others; round, so that it seldom moves."""
    highest = max([1, *(int(counts.max()) for ink, counts in classes.items() if ink not in view.hidden)])
    if view.asymptotes:
        highest = max(highest, int(classes[Ink.CRITICAL][-1] * (1 + BAND)) + 1)
    step = round_step(highest / 5)
    return Axis(max(min(-(-highest // step) * step, curve.faults), 1), view.log)


def _draw_legend(picture: Picture, curve: CurveData, classes: dict[Ink, NDArray[np.int64]], view: View) -> int:
    """Entries in as many rows as they need; returns how many."""
    entries: list[tuple[Ink, str]] = []
    for ink, name in CLASSES.items():
        count = "hidden" if ink in view.hidden else f"{classes[ink][-1]:,}"
        entries.append((ink, f"{name} {count}"))
    entries.append((Ink.METRIC, f"{curve.metric_name} / {_metric_scale(curve):.3g}"))
    if view.asymptotes:
        entries.append((Ink.FINAL, f"F = {classes[Ink.CRITICAL][-1]:,}, ±10 %"))
    heading = "‖ frozen         " if view.frozen else "↑ faults → images"
    picture.put(0, 1, heading, Ink.FINAL if view.frozen else Ink.AXIS)
    row, column = 0, len(heading) + 3
    for ink, text in entries:
        if column + 4 + len(text) > picture.width and column > 1:
            row, column = row + 1, 1
        if ink not in view.hidden:
            picture.put(row, column, _sample(STYLES[ink]), ink)
        picture.put(row, column + 4, text, Ink.AXIS if ink in view.hidden else Ink.TEXT)
        column += 4 + len(text) + 2
    return row + 1


def _sample(style: LineStyle) -> str:
    """Three cells of a line, in the middle of their height."""
    cells = braille(trace(np.full(2, 0.4), 1, 3 * CELL_WIDTH, CELL_HEIGHT, style))
    return "".join(map(chr, cells[0]))


def _draw_axes(picture: Picture, x_axis: Axis, y_axis: Axis, top: int) -> int:
    """Both axes with their ticks, and the metric's on the right; returns the first column of the plot."""
    rows = picture.height - 2 - top
    base = top + rows
    labels = {tick: short_count(tick) for tick in y_axis.ticks(rows // 3 + 1)}
    left = max(map(len, labels.values())) + 2
    columns = picture.width - left - 4
    for row in range(top, base):
        picture.put(row, left - 1, "│", Ink.AXIS)
        picture.put(row, left + columns, "│", Ink.AXIS)
    picture.put(base, left - 1, "└" + "─" * columns + "┘", Ink.AXIS)
    for tick, label in labels.items():
        row = top + int((1 - float(y_axis.place(tick))) * (rows - 1) + 0.5)
        picture.put(row, left - 1 - len(label), label, Ink.AXIS)
        picture.put(row, left - 1, "┤", Ink.AXIS)
    for tick in x_axis.ticks(columns // 10 + 1):
        column = left + int(float(x_axis.place(tick)) * (columns - 1) + 0.5)
        picture.put(base, column, "┬", Ink.AXIS)
        picture.put(base + 1, max(column - len(short_count(tick)) // 2, 0), short_count(tick), Ink.AXIS)
    for value, row in (("1", top), ("½", top + rows // 2), ("0", base - 1)):
        picture.put(row, left + columns, "├", Ink.AXIS)
        picture.put(row, left + columns + 2, value, Ink.METRIC)
    return left


def _draw_lines(
    picture: Picture,
    curve: CurveData,
    classes: dict[Ink, NDArray[np.int64]],
    view: View,
    y_axis: Axis,
    place: tuple[int, int, int, int],
) -> None:
    top, left, rows, columns = place
    lines: list[tuple[Ink, NDArray[np.float64], int]] = []
    if view.asymptotes:
        final = float(classes[Ink.CRITICAL][-1])
        for ink, value in ((Ink.BAND, final * (1 - BAND)), (Ink.BAND, final * (1 + BAND)), (Ink.FINAL, final)):
            lines.append((ink, y_axis.place([value, value]), 1))
    lines.append((Ink.METRIC, curve.metric / _metric_scale(curve), curve.images))
    lines += [(ink, y_axis.place(counts), curve.images) for ink, counts in classes.items() if ink not in view.hidden]
    dots = np.zeros((rows * CELL_HEIGHT, columns * CELL_WIDTH), dtype=np.bool_)
    inks = picture.inks[top : top + rows, left : left + columns]
    for ink, unit, span in lines:
        line = trace(unit, span, dots.shape[1], dots.shape[0], STYLES[ink])
        dots |= line
        inks[line.reshape(rows, CELL_HEIGHT, columns, CELL_WIDTH).any(axis=(1, 3))] = ink
    picture.characters[top : top + rows, left : left + columns] = braille(dots)


def _metric_scale(curve: CurveData) -> float:
    """What the metric is divided by to lie in 0..1: its largest value."""
    return float(curve.metric.max(initial=0.0)) or 1.0
