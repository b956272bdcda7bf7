"""The plot of a result, letter by letter."""

import numpy as np
import pytest

from dear_tui.charts.draw import TOO_SMALL
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.result_plot import draw_result

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


def text(picture: Picture) -> str:
    return "\n".join(row.rstrip() for row in picture.rows())


@pytest.mark.parametrize(("step", "dots", "golden"), [(1, False, JOINED), (10, True, DOTS)])
def test_lines_and_dots(step: int, dots: bool, golden: str) -> None:
    picture = draw_result("rank", X[::step], {name: y[::step] for name, y in LINES.items()}, dots, 60, 12)
    assert text(picture) == golden


def test_rows_in_any_order_give_the_same_lines() -> None:
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = {name: y[order] for name, y in LINES.items()}
    assert text(draw_result("rank", X[order], shuffled, False, 60, 12)) == JOINED


def test_a_class_has_its_own_colour_and_no_other_column_takes_it() -> None:
    lines = dict.fromkeys(("a", "b", "masked", "c"), X)
    picture = draw_result("rank", X, lines, True, 80, 12)
    legend = next(iter(picture.rows()))
    inks = {name: picture.inks[0, legend.index(f" {name} ") - 1] for name in lines}
    assert inks == {"a": Ink.CRITICAL, "b": Ink.METRIC, "masked": Ink.MASKED, "c": Ink.NON_CRITICAL}


@pytest.mark.parametrize(
    ("values", "row"), [([], None), ([np.nan, np.nan], None), ([np.inf, np.nan], None), ([5.0, 5.0], "   5┤⠤⠤⠤⠤")]
)
def test_what_cannot_be_scaled_is_drawn_all_the_same(values: list[float], row: str | None) -> None:
    y = np.array(values)
    shown = text(draw_result("x", np.arange(len(y), dtype=np.float64), {"y": y}, False, 60, 12)).splitlines()
    assert "└┬─" in shown[-2], "the axis"
    assert [line[:9] for line in shown[1:] if "⠤" in line] == ([] if row is None else [row])


def test_too_small_says_so() -> None:
    assert text(draw_result("x", X, LINES, False, 39, 12)).splitlines()[0] == TOO_SMALL
    assert text(draw_result("x", X, LINES, False, 60, 0)) == ""


@pytest.mark.parametrize("high", [1e-30, 1e308, np.finfo(np.float64).max])
def test_the_smallest_and_the_largest_numbers_are_drawn(high: float) -> None:
    picture = draw_result("x", np.array([-high, 0.0, high]), {"y": np.array([-high, high, 0.0])}, True, 60, 12)
    assert "└" in text(picture)
