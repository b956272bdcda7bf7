"""What of a result is plotted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dear_tui.charts.result_data import PlotChoice, first_choice, plot_rows, plotted_numbers
from dear_tui.charts.result_plot import PlotKind
from engine.analysis.renderers.registry import render

NAMED = pa.table({"layer": ["conv", "fc", None], "faults": [3, 5, 1], "rate": [0.5, 0.25, None]})
LONG = pa.table({"rank": list(range(99)), "a": [1.0] * 99, "b": [2] * 99, "name": ["x"] * 99})
GROUPED = pa.table({"bit": [3, 1, 3, 1], "layer": ["b", "b", "a", "a"], "critical": [1, 2, 3, 4]})


@pytest.mark.parametrize(
    ("rows", "choice"),
    [
        (NAMED, PlotChoice(0, (2,), kind=PlotKind.BARS)),
        (LONG, PlotChoice(0, (1, 2))),
        (pa.table({"bit": [0, 1, 2], "faults": [9, 9, 9], "rate": [0.1, 0.2, 0.3]}),
         PlotChoice(0, (2,), kind=PlotKind.BARS)),
        (pa.table({"n": [1, 2], "name": ["a", "b"]}), PlotChoice(1, (0,), kind=PlotKind.BARS)),
        (pa.table({"x": [0.5, 0.7], "y": [1, 2]}), PlotChoice(0, (1,))),
        (pa.table({"n": [1, 2]}), None),
        (pa.table({"campaign": [1] * 70, "rank": range(70), "image_id": range(70), "critical": range(70)}),
         PlotChoice(1, (3,))),
        (pa.table({"metric": [0.5, 0.7], "image_id": [1, 2]}), PlotChoice(0, (1,))),
        (pa.table({"a": ["1"], "b": [[1]]}), None),
    ],
)  # fmt: skip
def test_what_is_plotted_first(rows: pa.Table, choice: PlotChoice | None) -> None:
    assert first_choice(rows) == choice


def test_names_and_bars_have_places_in_their_order() -> None:
    plot = plot_rows(NAMED, PlotChoice(0, (1, 2)))
    assert not plot.can_log_x
    assert plot.x.labels(plot.x.ticks(9)) == ["conv", "fc", "NULL"]
    assert [line.name for line in plot.lines] == ["faults", "rate"]
    assert np.isnan(plot.lines[1].y[2])
    numbers = plot_rows(GROUPED, PlotChoice(0, (2,), kind=PlotKind.BARS))
    assert numbers.x.labels(numbers.x.ticks(9)) == ["1", "3"], "numbers rise"
    assert numbers.lines[0].x.tolist() == [1, 0, 1, 0]


def test_a_series_is_a_line_for_each_value_of_a_column() -> None:
    plot = plot_rows(GROUPED, PlotChoice(0, (2,), series=1))
    assert {line.name: dict(zip(line.x.tolist(), line.y.tolist(), strict=True)) for line in plot.lines} == {
        "b": {3: 1, 1: 2},
        "a": {3: 3, 1: 4},
    }
    many = pa.table({"x": range(9), "s": range(9), "y": range(9)})
    plot = plot_rows(many, PlotChoice(0, (2,), series=1))
    assert len(plot.lines) == 4
    assert plot.title == "y over x (first 4 of 9 values of s)"


def test_a_column_plays_one_part() -> None:
    choice = PlotChoice(0, (1, 2))
    assert choice.over(1) == PlotChoice(1, (2,))
    assert choice.toggled(2) == PlotChoice(0, (1,))
    assert choice.toggled(0) == choice
    assert choice.toggled(3).toggled(4).toggled(5).y == (2, 3, 4, 5), "four at most"
    assert choice.split(2) == PlotChoice(0, (1,), series=2)
    assert choice.split(3).toggled(4) == PlotChoice(0, (4,), series=3), "one y beside series"
    assert choice.split(3).toggled(3) == PlotChoice(0, (1, 3))
    assert choice.split(3).split(3).series is choice.split(0).series is None
    assert choice.split(3).over(3) == PlotChoice(3, (1,))


def test_the_numbers_beside_the_picture_are_those_of_the_chosen_columns() -> None:
    assert render(plotted_numbers(GROUPED, PlotChoice(0, (2,), series=1)), "csv").splitlines() == [
        "bit,layer,critical", "3,b,1", "1,b,2", "3,a,3", "1,a,4",
    ]  # fmt: skip
    assert render(plotted_numbers(NAMED, PlotChoice(0, (2,))), "csv").splitlines()[1:] == ["conv,0.5", "fc,0.25", ","]
