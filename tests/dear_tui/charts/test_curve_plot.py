from dataclasses import replace

import numpy as np
import pytest

from dear_tui.charts.curve_plot import curve_plot
from dear_tui.charts.draw import TOO_SMALL, draw_plot
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plot import CLASSES, STYLES
from dear_tui.charts.view import ChartView
from engine.store import CurveData
from tests.dear_tui.chart_data import ONLY_CRITICAL
from tests.dear_tui.memory_store import make_curve

HALF_DONE = """\
 Cumulative detection curve of campaign 7
 ↑ faults by their worst severity so far
 → images, in the order in which they run
 ⠤⠤⠤ masked 5,781  ⠤⠤  non-critical 9,680  ⠶⠶⠶ critical 1,040
 ⠄⠄⠄ EL2N / 1.38, right axis  ⠄ ⠄ F = 1,040 critical faults so far, ±10 %
    │⡇                                                                    ├ 1
    │⣇                                                                    │
    │⣗                                                                    │
    │⣗                                                                    │
 10k┤⡟⠍⠁ ⠈⠉⠁ ⠈⠉⠁ ⠈⠉⠁ ⠈⠉⠁ ⠈⠉⠁ ⠈⠉⠁ ⠈⠉⠁ ⠈⠉⠁                                  │
    │⡇⠅                                                                   ├ ½
    │⡗⢓⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒                                  │
    │ ⠐⠄                                                                  │
    │⡇ ⢑                                                                  │
   0┤⡟⠛⠛⠛⠟⢟⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢛⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃⢀⢂⢀⢃├ 0
    └┬─────────────┬────────────┬─────────────┬────────────┬─────────────┬┘
     0            2k           4k            6k           8k            10k"""
CRITICAL_ALONE = """\
 Cumulative detection curve of campaign 7
 ↑ faults by their worst severity so far
 → images, in the order in which they run
     masked hidden      non-critical hidden  ⠶⠶⠶ critical 1,040
 ⠄⠄⠄ EL2N / 1.38, right axis  ⠄ ⠄ F = 1,040 critical faults so far, ±10 %
    │⡅   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀   ⡀├ 1
    │⣥⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀ ⡀│
  1k┤⢼   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ⠄│
    │⣸                                                                    │
    │⡟⠄                                                                   │
 500┤⡇⠅                                                                   ├ ½
    │⡇⢑                                                                   │
    │⡇⠐⠄                                                                  │
    │⡇ ⢑                                                                  │
   0┤⡇  ⠑⠄⢄⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀├ 0
    └┬─────────────┬────────────┬─────────────┬────────────┬─────────────┬┘
     0            2k           4k            6k           8k            10k"""
LOG_FINISHED = """\
 ↑ faults → images  ⠤⠤⠤ masked 5,781  ⠤⠤  non-critical 9,680
 ⠶⠶⠶ critical 1,040  ⠄⠄⠄ EL2N / 1.38, right axis
    │⡧  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ├ 1
 10k┤⢗⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒│
    │⣔                                                  │
  1k┤⣿⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛│
    │⡗⠄                                                 ├ ½
 100┤⡇⢅                                                 │
    │⡇⠐⠄                                                │
    │⠃ ⠑⠄⢄⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀⢀├ 0
    └┬─────────┬─────────┬─────────┬─────────┬─────────┬┘
     0        2k        4k        6k        8k        10k"""


def draw_curve(curve: CurveData, view: ChartView, width: int, height: int) -> Picture:
    return draw_plot(curve_plot(7, curve, None, view), view, width, height)


def text(picture: Picture) -> str:
    return "\n".join(row.rstrip() for row in picture.rows())


def test_half_of_a_campaign() -> None:
    assert text(draw_curve(make_curve(5000), ChartView(), 78, 17)) == HALF_DONE


def test_the_critical_class_alone_gets_the_whole_height() -> None:
    view = ChartView(hidden=frozenset({Ink.MASKED, Ink.NON_CRITICAL}))
    assert text(draw_curve(make_curve(5000), view, 78, 17)) == CRITICAL_ALONE


def test_log_axis_without_the_dotted_lines() -> None:
    assert text(draw_curve(make_curve(10_000), ChartView(log=True, asymptotes=False), 60, 12)) == LOG_FINISHED


def test_the_dotted_lines_lie_at_the_critical_count_and_ten_percent_around_it() -> None:
    view = ChartView(hidden=frozenset({Ink.MASKED, Ink.NON_CRITICAL, Ink.CRITICAL}))
    picture = draw_curve(make_curve(10_000), view, 100, 43)
    rows = {ink: sorted(set(np.nonzero(picture.inks[4:, 10:-4] == ink)[0].tolist())) for ink in (Ink.FINAL, Ink.BAND)}
    plot_rows, highest, final = 43 - 4 - 2, 1250, 1040
    expected = [round((1 - value / highest) * (plot_rows * 4 - 1)) // 4 for value in (1.1 * final, final, 0.9 * final)]
    assert rows == {Ink.FINAL: [expected[1]], Ink.BAND: [expected[0], expected[2]]}


def test_the_x_axis_does_not_move_while_the_curve_grows() -> None:
    early, late = draw_curve(make_curve(100), ChartView(), 90, 20), draw_curve(make_curve(9000), ChartView(), 90, 20)
    assert list(early.rows())[-2:] == list(late.rows())[-2:]


def test_old_points_stay_where_they_are_while_the_curve_grows() -> None:
    view = ChartView(asymptotes=False)
    early, late = draw_curve(make_curve(5000), view, 90, 20), draw_curve(make_curve(6000), view, 90, 20)
    changed = np.flatnonzero((early.characters != late.characters)[2:].any(axis=0))
    assert changed.min() > 45
    assert changed.max() < 60


def test_hidden_classes_are_named_but_not_drawn() -> None:
    picture = draw_curve(make_curve(5000), ChartView(hidden=frozenset({Ink.MASKED})), 90, 20)
    assert "masked hidden" in text(picture)
    assert not (picture.inks == Ink.MASKED).any()
    assert (picture.inks[2:] == Ink.CRITICAL).any()


def test_frozen_is_said() -> None:
    assert "frozen" in text(draw_curve(make_curve(5), ChartView(frozen=True), 90, 20))


def test_every_line_has_a_pattern_of_its_own() -> None:
    lines = [Ink.METRIC, Ink.FINAL, *CLASSES]
    assert len({STYLES[ink] for ink in lines}) == len(lines)


@pytest.mark.parametrize(("width", "height"), [(0, 0), (5, 1), (39, 20), (80, 9)])
def test_too_small_a_place(width: int, height: int) -> None:
    picture = draw_curve(make_curve(5), ChartView(), width, height)
    assert text(picture).strip() == (TOO_SMALL[:width] if height else "")


@pytest.mark.parametrize("images", [1, 2, 7, 72, 10_000])
@pytest.mark.parametrize("log", [False, True])
def test_any_number_of_images_fits(images: int, log: bool) -> None:
    for width, height in ((40, 10), (80, 24), (200, 60)):
        picture = draw_curve(make_curve(images, images=images), ChartView(log=log), width, height)
        assert (picture.inks == Ink.CRITICAL).any()


def test_no_critical_fault_and_a_metric_of_zeros() -> None:
    zeros, faults = np.zeros(4, dtype=np.int64), np.full(4, 9)
    curve = type(make_curve(0))(faults, zeros, zeros, zeros, 9, 4, "el2n", np.zeros(4))
    assert "F = 0" in text(draw_curve(curve, ChartView(), 100, 20))


def screened_curve() -> CurveData:
    """A third of the faults that no image has shown to be harmful has a screened image."""
    curve = make_curve(5000)
    return replace(curve, masked=curve.masked - curve.masked // 3, screened=curve.masked // 3)


def test_screened_faults_have_a_line_of_their_own() -> None:
    curve = screened_curve()
    plot = curve_plot(7, curve, None, ChartView())
    assert [one.name for one in plot.series][1:] == ["masked", "non-critical", "critical", "screened"]
    assert f"screened {curve.screened[-1]:,}" in text(draw_curve(curve, ChartView(), 120, 30))
    assert f"screened {curve.screened[9]:,}" in plot.readings.describe(9)
    assert plot.numbers.columns["screened"] is curve.screened
    assert "masked, non_critical, critical, screened\n" in plot.sql


def test_screened_faults_are_hidden_with_the_masked_ones() -> None:
    """Their line rises as high: the critical one alone gets the whole height."""
    plot = curve_plot(7, screened_curve(), None, ChartView(hidden=ONLY_CRITICAL))
    assert [one.name for one in plot.series][1:] == ["critical"]
    assert [name for _, name in plot.hidden] == ["masked", "non-critical", "screened"]
    assert plot.y.high < 2000


def test_without_screened_faults_nothing_speaks_of_them() -> None:
    plot = curve_plot(7, make_curve(5000), None, ChartView())
    assert "screened" not in {one.name for one in plot.series} | plot.numbers.columns.keys()
    assert "screened" not in plot.sql
