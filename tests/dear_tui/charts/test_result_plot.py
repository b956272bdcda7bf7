"""The plot of a result, letter by letter."""

import numpy as np
import pytest

from dear_tui.charts.draw import TOO_SMALL
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.result_plot import PlotKind, ResultLine, ResultPlot, draw_result, make_result_plot, result_figure
from engine.figures import svg

X = np.arange(101, dtype=np.float64)
LINES = {"critical": X**2, "other": np.where(X > 50, np.nan, 10_000 - 100 * X)}
JOINED = """\
 ⠶⠶⠶ critical   ⠤⠤⠤ other                            → rank
 10k┤⠙⠓⠶⠤⣤⣀⡀                                          ⣀⣴⠾⠋│
    │     ⠈⠙⠓⠶⢤⣄⣀⡀                                ⢀⣠⣴⠟⠋⠁  │
    │           ⠈⠙⠓⠲⢦⣄⣀⡀                       ⣀⣤⡶⠟⠉      │
    │                 ⠈⠙⠓⠲⢦⣄⣀              ⣀⣤⡶⠟⠋⠁         │
  5k┤                       ⠉⠙⠓⠶⠄      ⣀⣤⡶⠟⠋⠁             │
    │                             ⣀⣤⣴⠾⠛⠋⠁                 │
    │                      ⢀⣀⣠⣤⡶⠾⠛⠋⠁                      │
    │              ⣀⣀⣠⣤⣤⡶⠶⠟⠛⠉⠉                            │
   0┤⣤⣤⣤⣤⣤⣤⣴⠶⠶⠶⠶⠟⠛⠛⠋⠉⠉                                    │
    └┬─────────┬──────────┬─────────┬──────────┬─────────┬┘
     0        20         40        60         80        100"""
DOTS = """\
 ⠶⠶⠶ critical   ⠤⠤⠤ other                            → rank
 10k┤⠁    ⢀                                              ⠈│
    │          ⢀                                    ⢠     │
    │                ⡀                                    │
    │                     ⠄                    ⠃          │
  5k┤                          ⠠          ⠆               │
    │                               ⠰                     │
    │                          ⠰                          │
    │                ⡀    ⠃                               │
   0┤⡄    ⢠    ⠰     ⠁                                    │
    └┬─────────┬──────────┬─────────┬──────────┬─────────┬┘
     0        20         40        60         80        100"""


def plot(x: np.ndarray, lines: dict[str, np.ndarray], kind: PlotKind, name: str = "rank") -> ResultPlot:
    return make_result_plot(name, "y", [ResultLine(line, x, y) for line, y in lines.items()], kind)


def text(picture: Picture) -> str:
    return "\n".join(row.rstrip() for row in picture.rows())


@pytest.mark.parametrize(("step", "kind", "golden"), [(1, PlotKind.LINE, JOINED), (10, PlotKind.POINTS, DOTS)])
def test_lines_and_dots(step: int, kind: PlotKind, golden: str) -> None:
    picture = draw_result(plot(X[::step], {name: y[::step] for name, y in LINES.items()}, kind), 60, 12)
    assert text(picture) == golden


def test_rows_in_any_order_give_the_same_lines() -> None:
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = {name: y[order] for name, y in LINES.items()}
    assert text(draw_result(plot(X[order], shuffled, PlotKind.LINE), 60, 12)) == JOINED


def test_a_class_has_its_own_colour_and_no_other_column_takes_it() -> None:
    lines = dict.fromkeys(("a", "b", "masked", "c"), X)
    picture = draw_result(plot(X, lines, PlotKind.POINTS), 80, 12)
    legend = next(iter(picture.rows()))
    inks = {name: picture.inks[0, legend.index(f" {name} ") - 1] for name in lines}
    assert inks == {"a": Ink.CRITICAL, "b": Ink.METRIC, "masked": Ink.MASKED, "c": Ink.NON_CRITICAL}


@pytest.mark.parametrize(
    ("values", "row"), [([], None), ([np.nan, np.nan], None), ([np.inf, np.nan], None), ([5.0, 5.0], "   5┤⠤⠤⠤⠤")]
)
def test_what_cannot_be_scaled_is_drawn_all_the_same(values: list[float], row: str | None) -> None:
    y = np.array(values)
    shown = text(draw_result(plot(np.arange(len(y), dtype=np.float64), {"y": y}, PlotKind.LINE), 60, 12)).splitlines()
    assert "└┬─" in shown[-2], "the axis"
    assert [line[:9] for line in shown[1:] if "⠤" in line] == ([] if row is None else [row])


def test_too_small_says_so() -> None:
    assert text(draw_result(plot(X, LINES, PlotKind.LINE), 39, 12)).splitlines()[0] == TOO_SMALL
    assert text(draw_result(plot(X, LINES, PlotKind.LINE), 60, 0)) == ""


@pytest.mark.parametrize("high", [1e-30, 1e308, np.finfo(np.float64).max])
def test_the_smallest_and_the_largest_numbers_are_drawn(high: float) -> None:
    shown = plot(np.array([-high, 0.0, high]), {"y": np.array([-high, high, 0.0])}, PlotKind.POINTS)
    picture = draw_result(shown, 60, 12)
    assert "└" in text(picture)


def bars(log_y: bool) -> ResultPlot:
    lines = [ResultLine("a", np.arange(4.0), np.array([1.0, 10, 100, np.nan])),
             ResultLine("b", np.arange(4.0), np.array([100.0, -20, 50, 0]))]  # fmt: skip
    names = ["conv1", "a long name indeed", "fc", "d"]
    return make_result_plot("layer", "a, b", lines, PlotKind.BARS, names, log_y=log_y)


@pytest.mark.parametrize("log_y", [False, True])
def test_bars_stand_side_by_side_on_the_ground(log_y: bool) -> None:
    picture = draw_result(bars(log_y), 60, 16)
    rows = text(picture).splitlines()
    assert rows[-1].split() == ["conv1", "a", "long", "n…", "fc", "d"]
    top, left, height, width = picture.area
    inks = picture.inks[top : top + height, left : left + width]
    filled = {
        name: {place: int((inks[:, round((place + 0.5) * width / 4) + side] == ink).sum()) for place in range(4)}
        for name, ink, side in (("a", Ink.MASKED, -3), ("b", Ink.CRITICAL, 3))
    }
    a, b = filled["a"], filled["b"]
    assert a[2] == b[0] > b[2] > a[0] >= 1, "the largest values are the highest bars"
    assert a[3] == 0, "no value, no bar"
    if log_y:
        assert rows[0].endswith("→ layer, log y")
        assert b[1] == 0, "there is no place below 0"
    else:
        assert b[1] >= 2, "below 0 it hangs from the ground"


def test_what_is_drawn_is_a_figure_for_files() -> None:
    for log_y in (False, True):
        drawn = svg.to_svg(result_figure(bars(log_y)))
        assert drawn.count("<polygon") == 2
        assert "a long n…" in drawn
    assert "<polyline" in svg.to_svg(result_figure(plot(X, LINES, PlotKind.LINE)))
    assert "h.01" in svg.to_svg(result_figure(plot(X, LINES, PlotKind.POINTS)))


def test_log_axes_show_what_is_above_0() -> None:
    lines = [ResultLine("y", np.array([0.0, 1, 10, 100]), np.array([1.0, 0, 10, 1000]))]
    shown = make_result_plot("x", "y", lines, PlotKind.POINTS, log_x=True, log_y=True)
    assert shown.can_log_x
    assert (shown.x.log, shown.x.least, shown.y.log, shown.y.least) == (True, 1, True, 1)
    rows = text(draw_result(shown, 60, 12)).splitlines()
    assert rows[0].endswith("→ x, log x, log y")
    dots = "".join(rows[1:-2])
    assert sum(0x2800 < ord(sign) <= 0x28FF for sign in dots) == 2
    nothing = make_result_plot("x", "y", [ResultLine("y", np.zeros(2), -np.ones(2))], PlotKind.LINE, log_y=True)
    assert not nothing.y.log, "where nothing is above 0 the axis stays linear"


def test_a_legend_that_is_too_wide_is_cut_and_x_stands_below() -> None:
    lines = dict.fromkeys((f"layer{number}.0.conv1" for number in range(4)), X)
    rows = text(draw_result(plot(X, lines, PlotKind.LINE), 78, 12)).splitlines()
    assert rows[0].count("layer") == rows[0].count("…") == 4
    assert rows[1].strip() == "→ rank"
    one = text(draw_result(plot(X, {"y": X}, PlotKind.LINE), 78, 12)).splitlines()
    assert one[0].endswith("→ rank"), "beside the lines where there is room"
