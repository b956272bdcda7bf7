"""Every view of the live screen as text, looked at and kept; the detection curve has a file of its own."""

from dataclasses import replace

import numpy as np
import pytest

from dear_tui.charts.draw import draw_plot
from dear_tui.charts.overlay_plot import PATTERNS, Marked
from dear_tui.charts.picture import OVERLAYS, Ink
from dear_tui.charts.plot import CLASSES, STYLES
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import ChartKind, ChartView
from engine.analysis.classification import compare_orders
from engine.store import ImageCounts
from tests.dear_tui.chart_data import DATA, ONLY_CRITICAL, plot_of
from tests.dear_tui.memory_store import make_curve, make_image_counts

SCATTER = """\
 ↑ critical faults → el2n  ⢌⠢ 10,000 images
    │                                                     │
    │                        ⠠⣔⢞⡖⠂                        │
    │                        ⣙ ⠈⠘⢃                        │
    │                       ⣴⠁   ⠈⢥                       │
 500┤                      ⣰⠄     ⠐⠄                      │
    │                     ⢀⠆       ⠩⡀                     │
    │                     ⡘⠁        ⠄                     │
    │                    ⡰⠁         ⠈⢥                    │
    │                   ⡼⠃           ⠐⢁                   │
    │                 ⢀⡴⠃             ⠙⢦⡀                 │
   0┤⣤⣀⣄⣀⣀⣀⣀⣀⣀⣠⣀⣀⣠⣠⡤⠤⠾⠋                 ⠙⠳⠶⠤⣄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀ │
    └┬──────────────────┬─────────────────┬───────────────┘
     0                 0.5                1"""

SHADED = """\
 ↑ critical faults → el2n  ·░▒▓█ 10,000 images
    │                                                     │
    │                        ·░░░·                        │
    │                        ░░░░░                        │
    │                       ░░   ░░                       │
 500┤                      ░░     ░·                      │
    │                     ░░       ░·                     │
    │                     ░         ░                     │
    │                    ░·         ·░                    │
    │                   ░░           ·░                   │
    │                ░▒▒░             ·░░·                │
   0┤█▓▒▒▒▒▒▒▒▒▒▒▒▒▒▒░·                  ░░░░░░░░░░░░░░░░ │
    └┬──────────────────┬─────────────────┬───────────────┘
     0                 0.5                1"""

BOTH_LOG = """\
 ↑ critical faults → el2n
 ⢌⠢ 10,000 images, 181 of them at 0, below the log axis
    │                                                ⢀⡖⡆  │
    │                                                ⢸ ⢧  │
    │                                                ⡇ ⢨  │
 100┤                                               ⢰⠇ ⢨  │
    │                                               ⢺   ⡇ │
    │                                              ⠠⡏   ⡇ │
  10┤⣇⢠⠠⡤ ⣠⣔⣄⣄⣀⠠⠄⡄⠤⢠⠐⠄⢄⠠⡠⠄⠄⣄⢄⠠⠠⣄⠄⠄⡀⡢⡀⢀⡄⡀⢀⣠⡀⣤    ⣠⣀⢄⣾⠁   ⢢⡀│
    │⣿⣷⣯⣿⣿⣿⣧⣯⣷⣿⣾⣾⣿⣿⣷⣾⣟⣷⣶⣿⣷⣿⣟⣶⣿⣾⣮⣶⣿⣿⣾⣿⣿⣷⣽⣽⣿⣾⣴⣿⣧⣵⣿⣿⣮⣿⣗    ⢺⣟│
    │⣒⣒⡒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣂⢒⢒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣒⣐⣒⢒⣒⣒⣒⣒⣒⣒⣒⣒⣒⡒    ⢐⣒│
   1┤⣀⣀⣀ ⣀⣀⣀⡀ ⣀⢀⣀⣀⢀⡀⢀⣀⡀⣀⣀⣀⣀⣀⣀⢀⡀⣀⣀⣀⡀⣀⣀⡀⢀⡀⡀⣀⣀⣀⣀⡀⢀⢀⣀⣀⣀⡀     ⡀│
    └┬─────────┬─────────┬─────────┬─────────┬──────────┬─┘
   1e-05    0.0001     0.001     0.01       0.1         1"""

READ = """\
 ↑ critical faults → el2n  ⢌⠢ 10,000 images
    │                          ⢀                          │
    │                        ⣐⠮◆⢯⡁                        │
    │                       ⢀⠖ │ ⠐⠄                       │
 500┤                      ⠠⡉  │  ⠩⡀                      │
    │                     ⢀⡏   │   ⠩⡀                     │
    │                    ⢀⡜    │    ⢢⡀                    │
    │                   ⢠⡞     │     ⢙⠄                   │
    │                  ⣠⠏      │      ⠴⣄                  │
   0┤⣄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣠⣀⡤⠤⠶⠛⠁       │       ⠈⠙⠶⢤⢄⣄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀ │
    └┬──────────────────┬─────────────────┬───────────────┘
     0                 0.5                1
 rank 122  image 7333  el2n 0.7007  masked 13,140
 non-critical 2,629  critical 732"""

SMALL = """\
 ↑ critical faults → el2n
    │           ·           │
    │          ▒▒▒          │
 500┤         ░░ ░░         │
    │         ▒   ▒·        │
    │       ·▒·    ▒        │
   0┤█▓▒▒▒▒▒▒·     ·▒▒▒▒░░░░│
    └┬───────┬───────┬──────┘
     0      0.5      1"""

COMPARISON = """\
 ↑ % of pairs → images  ⠤⠤⠤ masked 84.2 %  ⠄ ⠄ random
 ⠤⠤  non-critical 15.8 %  ⠄   random  ⠶⠶⠶ critical 0.0541 %
 ⠤ ⠤ random  ⠄ ⠄ final %
 100┤                                                     │
    │⠦⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤│
    │                                                     │
    │                                                     │
  50┤                                                     │
    │                                                     │
    │                                                     │
    │⠖⠂⠒⠐⠒⠒⠂⠐⠒⠂⠂⠐⠒⠂⠒⠐⠒⠒⠂⠐⠒⠂⠂⠐⠒⠂⠒⠐⠒⠒⠂⠐⠒⠂⠂⠐⠒⠂⠒⠐⠒⠒⠂⠐⠒⠂⠂⠐⠒⠂⠒⠐⠒│
   0┤⣴⣦⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤│
    └┬─────────┬──────────┬─────────┬──────────┬─────────┬┘
     0        2k         4k        6k         8k        10k"""

CRITICAL_ALONE = """\
 ↑ % of pairs → images      masked hidden
     non-critical hidden  ⠶⠶⠶ critical 0.0541 %  ⠤ ⠤ random
 ⠄ ⠄ final %
 2┤                            │                          │
  │                            │⣴⠿⣦⡀                      │
  │                            ⢠⡇ ⠈⢻⣄                     │
 1┤                            ⡾    ⠙⢷⣄                   │
  │                           ⢰⠇      ⠙⢷⣤⣀                │
  │                          ⢠⡟│        ⠈⠙⠻⢶⣤⣤⣀⣀          │
 0┤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣴⡶⡿ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠬⠉⠽⠛⠿⠛⠷⠶⠶⠶⠶⠶⠶│
  └┬─────────────┬────────────┬────────────┬─────────────┬┘
   1            10           100          1k            10k
 125 images  ranked / random:  masked 83.1 / 84.2 %
 non-critical 15.8 / 15.8 %  critical 1.15 / 0.0456 %"""

OVERLAY = """\
 ↑ critical faults → images  ⠶⠶⠶ #7 all 1,040
 ⠤⠤⠤ #8 central 843  ⠤⠤  #9 begun 1,040
    │                       │                             │
    │                       │⢀⣠⣤⡶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶│
  1k┤                     ⢀⣠⡾⠛⠉                           │
    │                   ⢀⣴⠟⠉│                             │
    │                 ⢀⣴⠟⠁  │                             │
 500┤               ⣀⡶⠟⠁    │                             │
    │            ⣠⣴⠟⠋⠁      │                             │
    │      ⢀⣀⣤⣤⡶⠟⠋          │                             │
   0┤⠶⠶⠶⠶⠟⠛⠛⠉⠁              │                             │
    └┬────────────┬────────────┬────────────┬────────────┬┘
     1           10           100          1k           10k
 60 images  #7 899  #8 –  #9 899"""

SHARES = """\
 ↑ critical faults → % of images  ⠶⠶⠶ #7 all 1,040
 ⠤⠤⠤ #8 central 843  ⠤⠤  #9 begun 1,040
    │                                                     │
    │⢠⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤│
  1k┤⢸                                                    │
    │⡟                           ⢀⣀⣀⣠⠤⠤⠴⠒⠒                │
    │⡇                   ⢀⣀⣠⠤⠖⠒⠚⠉⠉                        │
 500┤⡇             ⢀⣀⡤⠴⠒⠋⠉                                │
    │⡇         ⣀⡤⠴⠋⠉                                      │
    │⡇     ⣀⣠⠞⠉⠁                                          │
    │⡇  ⣠⠴⠋⠁                                              │
   0┤⣧⠴⠋⠁                                                 │
    └┬─────────┬──────────┬─────────┬──────────┬─────────┬┘
     0        20         40        60         80        100"""

ZOOMED = """\
 ↑ faults → images      masked hidden
     non-critical hidden  ⠶⠶⠶ critical 1,040
 ⠄⠄⠄ el2n / 1.38  ⠄ ⠄ F = 1,040, ±10 %
   │⠅⠑⠐⠄⢄⢀⢀ ⠄   ⠄   ⠄   ⠄   ⠄ │ ⠄   ⠄   ⠄   ⠄   ⠄   ⠄   ├ 1
 1k┤⡂ ⠂ ⡂ ⠂⠁⡓⠐⠒⠄⡆⢄⣂⣠⣦⣤⣦⡶⡶⠶⠶⠶⡾⠛⠛⠛⡛⠛⠛⠛⡛⠛⠛⠛⡛⠛⠛⠛⡛⠛⠛⠛⡛⠛⠛⠛⡛⠛⠛⠛│
   │        ⣀⣠⣴⠶⠟⠛⠉⠉⠁⠁⠑⠐⠐⠄⠄⢄⢀⢀│                         │
   │     ⣠⣴⠟⠋⠉                ⠁⠁⠁⠑⠐⠐⠄⠄⠄⠄⢄⢀⢀⢀            ├ ½
   │   ⣠⡾⠋                    │             ⠁⠁⠁⠁⠑⠐⠐⠐⠐⠄⠄⠄│
   │ ⣠⡾⠋                      │                         │
  0┤⣴⠏                        │                         ├ 0
   └┬────────────┬────────────┬───────────┬────────────┬┘
    0           50           100         150          200
 rank 100  image 8039  el2n 0.7918  masked 5,800
 non-critical 9,697  critical 1,004"""


def text(view: ChartView, width: int = 60, height: int = 14, data: ChartData = DATA, small: bool = False) -> str:
    picture = draw_plot(plot_of(view, data), view, width, height, small)
    return "\n".join(row.rstrip() for row in picture.rows())


def test_scatter() -> None:
    assert text(ChartView(ChartKind.SCATTER)) == SCATTER


def test_scatter_shaded_by_the_number_of_images() -> None:
    assert text(ChartView(ChartKind.SCATTER, density=True)) == SHADED


def test_log_axes_say_what_they_cannot_show() -> None:
    assert text(ChartView(ChartKind.SCATTER, log=True, log_x=True)) == BOTH_LOG


def test_the_cursor_marks_the_image_it_reads() -> None:
    assert text(ChartView(ChartKind.SCATTER, cursor=122)) == READ


def test_in_small_a_heading_stands_for_the_legend() -> None:
    assert text(ChartView(ChartKind.SCATTER, density=True), 30, 9, small=True) == SMALL
    assert text(ChartView(ChartKind.SCATTER), 19, 9, small=True).strip() == ""


def test_random_against_ranked() -> None:
    assert text(ChartView(ChartKind.COMPARISON)) == COMPARISON


def test_one_class_of_random_against_ranked() -> None:
    assert text(ChartView(ChartKind.COMPARISON, hidden=ONLY_CRITICAL, log_x=True, cursor=124)) == CRITICAL_ALONE


def test_marked_campaigns() -> None:
    assert text(ChartView(ChartKind.OVERLAY, log_x=True, cursor=59)) == OVERLAY


def test_marked_campaigns_in_share_of_their_images() -> None:
    assert text(ChartView(ChartKind.OVERLAY, shares=True)) == SHARES


def test_a_zoomed_curve_with_its_cursor() -> None:
    assert text(ChartView(window=(0, 0.02), hidden=ONLY_CRITICAL, cursor=100)) == ZOOMED


@pytest.mark.parametrize("kind", list(ChartKind))
@pytest.mark.parametrize("images", [1, 2, 72, 10_000])
@pytest.mark.parametrize("logs", [(False, False), (True, False), (False, True), (True, True)])
def test_any_number_of_images_in_any_window_fits(kind: ChartKind, images: int, logs: tuple[bool, bool]) -> None:
    curve = make_curve(images, images=images)
    counts = make_image_counts(curve)
    comparison = compare_orders(counts.masked, counts.non_critical, counts.critical, counts.metric)
    data = ChartData(7, curve, counts, comparison, (Marked(7, "a", curve), Marked(8, "none yet", make_curve(0))))
    for window in ((0.0, 1.0), (0.9, 1.0), (0.4, 0.41)):
        view = ChartView(kind, log=logs[0], log_x=logs[1], window=window, cursor=0, density=True, shares=images == 72)
        for width, height in ((40, 10), (80, 24), (200, 60)):
            assert len(text(view, width, height, data).splitlines()) == height


def test_images_that_have_not_run_are_not_in_the_scatter() -> None:
    begun = ChartData(7, make_curve(64), make_image_counts(make_curve(64)))
    assert "64 images" in text(ChartView(ChartKind.SCATTER), data=begun)
    none = ChartData(7, make_curve(0), make_image_counts(make_curve(0)))
    assert "0 images" in text(ChartView(ChartKind.SCATTER), data=none)


def workload_of(done: int, data_set: int) -> ImageCounts:
    return make_image_counts(make_curve(done, images=72), data_set)


@pytest.mark.parametrize(
    ("counts", "kind", "sentence"),
    [
        (None, ChartKind.SCATTER, "Reading the images"),
        (None, ChartKind.OVERLAY, "Reading the marked campaigns"),
        (workload_of(30, 72), ChartKind.COMPARISON, "drawn once every image has run.\n30 of 72 have."),
        (
            workload_of(72, 10_000),
            ChartKind.COMPARISON,
            'This campaign runs 72 of 10,000; select = "all" runs them all.',
        ),
    ],
)
def test_what_cannot_be_drawn_yet_is_said(counts: ImageCounts | None, kind: ChartKind, sentence: str) -> None:
    plot = make_plot(ChartData(7, make_curve(30, images=72), counts), ChartView(kind))
    assert isinstance(plot, str)
    assert sentence in plot


def test_lines_of_one_picture_have_patterns_of_their_own() -> None:
    ranked_and_random = plot_of(ChartView(ChartKind.COMPARISON)).series
    assert len({(series.ink, series.style) for series in ranked_and_random}) == 6
    for ink in CLASSES:
        assert len({series.style for series in ranked_and_random if series.ink is ink}) == 2
    curve = [series.style for series in plot_of(ChartView()).series]
    assert len({*curve, STYLES[Ink.FINAL], STYLES[Ink.BAND]}) == 6
    assert len(set(PATTERNS)) == len(PATTERNS)
    marked = tuple(Marked(number, "x", make_curve(9)) for number in range(len(PATTERNS) * len(OVERLAYS)))
    series = plot_of(ChartView(ChartKind.OVERLAY), ChartData(0, make_curve(9), marked=marked)).series
    assert len({(one.ink, one.style) for one in series}) == len(marked)


def test_what_the_cursor_reads_is_what_was_counted() -> None:
    assert DATA.counts is not None
    rank = 122
    image, critical = DATA.counts.image_id[rank], DATA.counts.critical[rank]
    scatter = plot_of(ChartView(ChartKind.SCATTER)).readings
    index = scatter.find(rank)
    assert index is not None
    assert {f"rank {rank}", f"image {image}", f"critical {critical}"} <= set(scatter.describe(index))
    curve = plot_of(ChartView()).readings
    assert f"critical {DATA.curve.critical[rank]:,}" in curve.describe(rank)
    assert curve.find(10_000) is None


def test_the_smallest_window_still_has_points() -> None:
    plot = plot_of(ChartView())
    view = ChartView().zoomed(1e9, 0.0, plot.least_window)
    assert view.window == (0.0, pytest.approx(8 / 10_000))


def test_screened_pairs_are_in_every_view() -> None:
    """The shares are of all pairs; a screened one is a class of its own."""
    counts = make_image_counts(make_curve(10_000))
    screened = counts.masked // 2
    some = replace(counts, masked=counts.masked - screened, screened=screened)
    by_id = np.argsort(some.image_id)
    classes = ("masked", "non_critical", "critical", "screened")
    comparison = compare_orders(**{name: getattr(some, name)[by_id] for name in classes}, metric=some.metric[by_id])
    data = replace(DATA, counts=some, comparison=comparison)
    scatter, compared = (plot_of(ChartView(kind=kind), data) for kind in (ChartKind.SCATTER, ChartKind.COMPARISON))
    assert any(part.startswith("screened ") for part in scatter.readings.describe(0))
    assert ("screened" in scatter.numbers.columns, "critical, screened\n" in scatter.sql) == (True, True)
    shares = [compared.numbers.columns[f"ranked_{name}"] for name in classes]
    np.testing.assert_allclose(sum(shares), 100.0)
    assert "AS screened" in compared.sql
    assert "screened" not in plot_of(ChartView(kind=ChartKind.COMPARISON)).sql.replace("+ screened +", "")
