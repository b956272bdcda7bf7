"""Which columns of a result are plotted, and how; imports Arrow when it is asked for a plot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dear_tui.charts.export import NAMES
from dear_tui.charts.result_plot import MOST_LINES, PlotKind, ResultLine, ResultPlot, make_result_plot
from dear_tui.query.values import cell_text, is_number
from engine.analysis.result_table import Column, Kind, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

MOST_BARS = 64
"""rows that are drawn as bars unless one asks for something else"""


@dataclass(frozen=True)
class PlotChoice:
    """Columns by their place in the result, and how they are drawn."""

    x: int
    y: tuple[int, ...]
    """MOST_LINES at most, of numbers"""
    series: int | None = None
    """a line for each value of this column; there is one y then"""
    kind: PlotKind = PlotKind.LINE
    log_x: bool = False
    log_y: bool = False

    def over(self, column: int) -> PlotChoice:
        """With another x, which is no y and no series then."""
        series = None if self.series == column else self.series
        return replace(self, x=column, y=tuple(one for one in self.y if one != column), series=series)

    def toggled(self, column: int) -> PlotChoice:
        """With this y, or without it; the oldest ones go where there are too many, and all others beside series."""
        if column == self.x:
            return self
        kept = tuple(one for one in self.y if one != column)
        if len(kept) < len(self.y):
            return replace(self, y=kept)
        series = None if self.series == column else self.series
        return replace(self, y=(*kept, column)[-(1 if series is not None else MOST_LINES) :], series=series)

    def split(self, column: int) -> PlotChoice:
        """With this column's values as series, or without series."""
        if column == self.series or column == self.x:
            return replace(self, series=None)
        return replace(self, series=column, y=tuple(one for one in self.y if one != column)[:1])


def numbers_of(rows: pa.Table) -> list[int]:
    """The columns that can be drawn."""
    return [index for index, field in enumerate(rows.schema) if is_number(field.type)]


def first_choice(rows: pa.Table) -> PlotChoice | None:
    """What is plotted before one chooses: numbers over the first column; None where there is no number beside another.

    A first column of one and the same number, such as the campaign, is passed over, and ids are drawn only where there
    is nothing else. A few rows with names, or with one whole number each, are bars of their last number, which in a
    question is the answer; others are lines.
    """
    from pyarrow import types

    numbers = numbers_of(rows)
    if not numbers or rows.num_columns < 2:
        return None
    x = next((one for one in range(rows.num_columns) if one not in numbers or len(rows.column(one).unique()) > 1), 0)
    others = [column for column in numbers if column != x]
    y = [column for column in others if rows.column_names[column] not in NAMES] or others
    if not y:
        return PlotChoice(next(one for one in range(rows.num_columns) if one != x), (x,), kind=PlotKind.BARS)
    first = rows.column(x)
    is_counted = types.is_integer(first.type) and rows.num_rows <= MOST_BARS and len(first.unique()) == rows.num_rows
    if x not in numbers or is_counted:
        return PlotChoice(x, (y[-1],), kind=PlotKind.BARS)
    return PlotChoice(x, tuple(y[-MOST_LINES:]))


def plot_rows(rows: pa.Table, choice: PlotChoice) -> ResultPlot:
    """A plot of the chosen columns."""
    numbers = numbers_of(rows)
    is_named = choice.kind is PlotKind.BARS or choice.x not in numbers
    names, x = _places(rows.column(choice.x), choice.x in numbers) if is_named else (None, _floats(rows, choice.x))
    labels = [cell_text(name) for name in rows.column_names]
    y_name, note = ", ".join(labels[column] for column in choice.y), ""
    lines = [ResultLine(labels[column], x, _floats(rows, column)) for column in choice.y]
    if choice.series is not None and choice.y:
        values, index = _places(rows.column(choice.series), choice.series in numbers)
        y = lines[0].y
        lines = [ResultLine(value, x[index == one], y[index == one]) for one, value in enumerate(values[:MOST_LINES])]
        if len(values) > MOST_LINES:
            note = f"first {MOST_LINES} of {len(values):,} values of {labels[choice.series]}"
    return make_result_plot(labels[choice.x], y_name, lines, choice.kind, names, choice.log_x, choice.log_y, note)


def plotted_numbers(rows: pa.Table, choice: PlotChoice) -> Table:
    """The chosen columns of all rows, for a file beside the picture."""
    series = [] if choice.series is None else [choice.series]
    numbers, chosen = numbers_of(rows), [choice.x, *series, *choice.y]
    columns = tuple(Column(str(rows.column_names[one]), Kind.NUMBER if one in numbers else Kind.TEXT) for one in chosen)
    values = [
        rows.column(one).cast("float64", safe=False).to_pylist()
        if one in numbers and not _is_whole(rows, one)
        else [value if one in numbers or value is None else cell_text(value) for value in rows.column(one).to_pylist()]
        for one in chosen
    ]
    return Table("", columns, tuple(zip(*values, strict=True)))


def _is_whole(rows: pa.Table, column: int) -> bool:
    from pyarrow import types

    return bool(types.is_integer(rows.schema[column].type))


def _floats(rows: pa.Table, column: int) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = rows.column(column).cast("float64", safe=False).to_numpy()
    return numbers


def _places(column: pa.ChunkedArray, are_numbers: bool) -> tuple[list[str], NDArray[np.float64]]:
    """The names of a column's values, numbers in their order and others as they come, and which one each row has."""
    values: dict[Any, int] = {}
    listed = [repr(value) if isinstance(value, (list, dict)) else value for value in column.to_pylist()]
    ordered = sorted({value for value in listed if value is not None}) if are_numbers else listed
    for value in [*ordered, *listed]:
        values.setdefault(value, len(values))
    return [cell_text(value) for value in values], np.array([values[value] for value in listed], dtype=np.float64)
