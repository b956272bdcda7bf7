"""Every view of the live screen as text, looked at and kept; the detection curve has a file of its own."""

from dataclasses import replace

import numpy as np
import pytest

from dear_tui.charts.draw import draw_plot
from dear_tui.charts.overlay_plot import PATTERNS, Marked
from dear_tui.charts.picture import OVERLAYS, Ink
from dear_tui.charts.plot import STYLES
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import ChartKind, ChartView
from engine.store import ImageCounts
from tests.dear_tui.chart_data import DATA, ONLY_CRITICAL, make_orders, plot_of
from tests.dear_tui.memory_store import make_curve, make_image_counts

SCATTER = """\
 Critical faults of each image of campaign 7
 ↑ faults critical for the image  → EL2N of the image
 ⢌⠢ 10,000 images
    │                          ⢀                          │
    │                        ⣐⠮⠻⢯⡁                        │
    │                       ⢀⠖   ⠐⠄                       │
 500┤                      ⠠⡉     ⠩⡀                      │
    │                     ⢀⡏       ⠩⡀                     │
    │                    ⢀⡜         ⢢⡀                    │
    │                   ⢠⡞           ⢙⠄                   │
    │                  ⣠⠏             ⠴⣄                  │
   0┤⣄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣠⣀⡤⠤⠶⠛⠁               ⠈⠙⠶⢤⢄⣄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀ │
    └┬──────────────────┬─────────────────┬───────────────┘
     0                 0.5                1"""

SHADED = """\
 Critical faults of each image of campaign 7
 ↑ faults critical for the image  → EL2N of the image
 ·░▒▓█ 10,000 images
    │                                                     │
    │                        ·░░░·                        │
    │                       ·░  ·░·                       │
 500┤                      ·░     ░·                      │
    │                     ░░       ░·                     │
    │                    ░░         ░░                    │
    │                   ░░           ░░                   │
    │                ·░▒░             ░░░·                │
   0┤█▓▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒░                 ░░░░░░░░░░░░░░░░░ │
    └┬──────────────────┬─────────────────┬───────────────┘
     0                 0.5                1"""

BOTH_LOG = """\
 Critical faults of each image of campaign 7
 ↑ faults critical for the image  → EL2N of the image
 ⢌⠢ 10,000 images, 181 of them at 0, below the log axis
    │                                                ⢀⡞⡆  │
    │                                                ⣸ ⢳  │
 100┤                                               ⢀⡇ ⢰  │
    │                                               ⣸⠁ ⠸⡄ │
    │                                               ⡽   ⡇ │
  10┤⡆⢀⢀⣀ ⢀⡠⡀⡀ ⢀⡀⡀⣀⢀⠠⡀⡀⢀⢀⡀⡀⡀⡀⢀⢀⡀⡀⡀ ⢄  ⡀  ⢀ ⣀    ⢀ ⡀⣼⠇   ⢇ │
    │⣿⣮⣖⣷⣶⣿⣏⣟⣯⣿⣴⣴⣷⣶⣮⣴⡶⣮⣤⣷⣦⣶⡿⣬⣶⣴⣝⣤⣶⣷⣵⣷⣾⣧⣳⣺⣿⣵⣩⣶⣆⣢⣶⣿⣝⣾⡯    ⢼⡷│
    │⣛⣛⡛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣋⢛⢛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣛⣙⣛⢛⣛⣛⣛⣛⣛⣛⣛⣛⣛⡛    ⢘⣛│
   1┤⣀⣀⣀ ⣀⣀⣀⡀ ⣀⢀⣀⣀⢀⡀⢀⣀⡀⣀⣀⣀⣀⣀⣀⢀⡀⣀⣀⣀⡀⣀⣀⡀⢀⡀⡀⣀⣀⣀⣀⡀⢀⢀⣀⣀⣀⡀     ⡀│
    └┬─────────┬─────────┬─────────┬─────────┬──────────┬─┘
   1e-05    0.0001     0.001     0.01       0.1         1"""

READ = """\
 Critical faults of each image of campaign 7
 ↑ faults critical for the image  → EL2N of the image
 ⢌⠢ 10,000 images
    │                         ⢀⣠⣀⡀                        │
    │                        ⣺⠉◆⠳⢆⡀                       │
 500┤                      ⢀⡚  │  ⢲⡀                      │
    │                     ⢠⡏   │   ⠩⠄                     │
    │                    ⣠⠎    │    ⠱⣄                    │
    │                  ⢀⡾⠃     │     ⠈⣡⡀                  │
   0┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣠⡤⠴⠒⠉       │       ⠙⠳⠦⢤⢄⣄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀ │
    └┬──────────────────┬─────────────────┬───────────────┘
     0                 0.5                1
 critical 732  non-critical 2,629  masked 13,140  rank 123
 image 7333  EL2N 0.7007"""

SMALL = """\
 ↑ critical faults → EL2N
    │           ·           │
    │          ▒▒▒          │
 500┤         ░░ ░░         │
    │         ▒   ▒·        │
    │       ·▒·    ▒        │
   0┤█▓▒▒▒▒▒▒·     ·▒▒▒▒░░░░│
    └┬───────┬───────┬──────┘
     0      0.5      1"""

SMALL_CURVE = """\
 ↑ critical faults → images
   │               ⢀⣀⣠⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤│
 1k┤            ⢀⣠⡶⠟⠉⠉                │
   │          ⣀⣴⠟⠉                    │
   │      ⢀⣠⣴⠾⠋⠁                      │
  0┤⠶⠶⠶⠶⠶⠟⠛⠉                          │
   └┬───────┬────────┬───────┬───────┬┘
    1      10       100     1k      10k"""

COMPARISON = """\
 Critical faults found, ranked or random, campaign 7
 ↑ critical faults found  → images, in each order
 ⠶⠶⠶ ranked by EL2N  ⠤⠤  random, their mean
 ░░░ 20 random orders  ⠄ ⠄ F = 1,040 critical faults in all
 1k┤⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁⢀⣡⡶⠿⠛⠋⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⢉⡍⠉⠛⠉⠉⠉⠉│
   │                     ⢀⣴⠟⠉                   ⢀⡄⠈       │
   │                   ⢀⣴⠟⠁                   ⢀⡄⠈         │
   │                 ⣠⡾⠛⠁                   ⢀⡄⠈           │
   │               ⣠⡶⠏                    ⢀⡄⠈             │
   │            ⣀⣴⠟⠋                   ░⡤⠂⠈               │
   │      ⢀⣀⣤⣴⠾⠛⠋⠁                ░⣀░⠰⠊░░                 │
  0┤⣶⣶⠶⠶⣟⣛⠛⠉⣁⣀░░⣀⣀░░⣀⣀░⢀⠤⠄░⠠⠤⠄░⠒⠒░⠈⠁░                     │
   └┬────────────┬─────────────┬────────────┬────────────┬┘
    1           10            100          1k           10k"""

CRITICAL_ALONE = """\
 Critical faults found, ranked or random, campaign 7
 ↑ critical faults found  → images, in each order
 ⠶⠶⠶ ranked by EL2N  ⠤⠤  random, their mean
 ░░░ 20 random orders  ⠄ ⠄ F = 1,040 critical faults in all
 1k┤⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⢁⣠⣵⠾⠛⠛⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⢩⠍⠉⠋⠉⠉⠉⠉│
   │                    ⣠⣴⠟⠉    │              ░⡴░⠁       │
   │                 ⣠⣴⠟⠋       │           ░⠠⠎░          │
   │             ⢀⣠⣴⠾⠋          │        ⢀░⠜⠁             │
   │        ⣀⣠⣤⣴⠶⠟⠉             │    ░⡤⠄⠐⠉░               │
  0┤⣶⣶⠶⠶⣶⣶⠾⠛⣋⣉░░⣀⣀░░⣀⣀░░⣀⡄░⠠⠤⠄░⠰⠒░⠐⠉⠁░░                   │
   └┬────────────┬─────────────┬────────────┬────────────┬┘
    1           10            100          1k           10k
 ranked 1,023 critical faults  random 73 (52 to 101)
 found by the first 125 images"""

OVERLAY = """\
 Critical faults of campaigns 7, 8, 9
 ↑ critical faults found
 → images, in the order in which they run
 ⠶⠶⠶ #7 all 1,040  ⠤⠤⠤ #8 central 843  ⠤⠤  #9 begun 1,040
   │                        │                             │
 1k┤                       ⣀⣤⡶⠾⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛│
   │                    ⣀⣴⠟⠋⠁                             │
   │                 ⣀⣴⠾⠋⠁  │                             │
   │              ⣀⣴⠾⠋⠁     │                             │
   │        ⣀⣀⣠⣴⠶⠟⠋⠁        │                             │
  0┤⠶⠶⠶⠶⠶⠶⠾⠛⠋⠉⠉             │                             │
   └┬────────────┬─────────────┬────────────┬────────────┬┘
    1           10            100          1k           10k
 60 images  #7 899  #8 –  #9 899"""

SHARES = """\
 Critical faults of campaigns 7, 8, 9
 ↑ critical faults found  → % of each one's images
 ⠶⠶⠶ #7 all 1,040  ⠤⠤⠤ #8 central 843  ⠤⠤  #9 begun 1,040
    │                                                     │
    │⢰⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶│
  1k┤⣸                                   ⢀                │
    │⡏                        ⣀⣀⡤⠤⠤⠖⠒⠒⠋⠉⠉⠉                │
    │⡇                ⣀⣀⡤⠴⠒⠚⠉⠉⠁                           │
 500┤⡇          ⢀⣠⠤⠖⠚⠉⠁                                   │
    │⡇     ⢀⣀⡴⠒⠋⠉                                         │
    │⡇  ⣀⣠⠖⠋                                              │
   0┤⣧⠴⠋⠁                                                 │
    └┬─────────┬──────────┬─────────┬──────────┬─────────┬┘
     0        20         40        60         80        100"""

ZOOMED = """\
 Cumulative detection curve of campaign 7
 ↑ faults by their worst severity so far
 → images, in the order in which they run
     masked hidden      non-critical hidden
 ⠶⠶⠶ critical 1,040  ⠄⠄⠄ EL2N / 1.38, right axis
 ⠄ ⠄ F = 1,040 critical faults in all, ±10 %
   │⡃⠁⡑⠐⡒⠄⡄⠄⣆⢀⣀⢀⣂ ⣀⣀⣂⣀⣀⣀⣦⣤⣤⣤⣦⣤⣤⣤⣦⣤⣤⣤⣦⣤⣤⣤⣦⣤⣤⣤⣦⣤⣤⣤⣦⣤⣤⣤⣦⣤⣤⣤├ 1
 1k┤⠁   ⠁ ⣀⣤⣥⡶⠶⠾⠛⠛⠛⠉⠙⠙⠙⠙⠑⠐⠄⠄⠅⠄⢄⢀⢁⢀⢀⢀⠁   ⠁   ⠁   ⠁   ⠁   │
   │  ⣠⣴⠾⠛⠋⠁                  │     ⠁⠁⠁⠁⠁⠁⠁⠑⠐⠐⠐⠐⠐⠐⠐⠄⠄⠄⠄⠄├ ½
  0┤⣴⠟⠋                       │                         ├ 0
   └┬────────────┬────────────┬───────────┬────────────┬┘
    0           50           100         150          200
 critical 1,004  non-critical 9,697  masked 5,800
 after 101 images  image 8039  EL2N 0.7918"""


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


def test_critical_faults_alone_in_small() -> None:
    view = ChartView(asymptotes=False, hidden=ONLY_CRITICAL | {Ink.METRIC}, log_x=True)
    assert text(view, 40, 8, small=True) == SMALL_CURVE


def test_beside_a_chart_stands_what_it_does_not_show() -> None:
    assert ChartView(ChartKind.COMPARISON, log_x=True).beside() == ChartView(ChartKind.SCATTER, log=True, density=True)
    assert ChartView(ChartKind.SCATTER, frozen=True).beside() == ChartView(ChartKind.CURVE)


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
    data = ChartData(
        7, curve, counts, make_orders(curve), (Marked(7, "a", curve), Marked(8, "none yet", make_curve(0)))
    )
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
            replace(workload_of(72, 72), dropped=np.ones(72, np.int64), masked=workload_of(72, 72).masked - 1),
            ChartKind.COMPARISON,
            'goal = "severities" runs all.',
        ),
    ],
)
def test_what_cannot_be_drawn_yet_is_said(counts: ImageCounts | None, kind: ChartKind, sentence: str) -> None:
    plot = make_plot(ChartData(7, make_curve(30, images=72), counts), ChartView(kind))
    assert isinstance(plot, str)
    assert sentence in plot


def test_lines_of_one_picture_have_patterns_of_their_own() -> None:
    ranked_and_random = plot_of(ChartView(ChartKind.COMPARISON)).series
    assert len({series.ink for series in ranked_and_random}) == len({one.style for one in ranked_and_random}) == 2
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
    assert {f"rank {rank + 1}", f"image {image}", f"critical {critical}"} <= set(scatter.describe(index))
    curve = plot_of(ChartView()).readings
    assert f"critical {DATA.curve.critical[rank]:,}" in curve.describe(rank)
    assert curve.find(10_000) is None


def test_the_smallest_window_still_has_points() -> None:
    plot = plot_of(ChartView())
    view = ChartView().zoomed(1e9, 0.0, plot.least_window)
    assert view.window == (0.0, pytest.approx(8 / 10_000))


def test_screened_pairs_are_in_the_scatter() -> None:
    counts = make_image_counts(make_curve(10_000))
    screened = counts.masked // 2
    some = replace(counts, masked=counts.masked - screened, screened=screened)
    scatter = plot_of(ChartView(kind=ChartKind.SCATTER), replace(DATA, counts=some))
    assert any(part.startswith("screened ") for part in scatter.readings.describe(0))
    assert ("screened" in scatter.numbers.columns, "critical, screened\n" in scatter.sql) == (True, True)


def test_campaigns_of_other_numbers_of_faults_are_compared_in_percent() -> None:
    marked = (Marked(7, "all", make_curve(50)), Marked(8, "few", make_curve(50, faults=2000)))
    data = ChartData(7, make_curve(50), marked=marked)
    plot = plot_of(ChartView(ChartKind.OVERLAY), data)
    assert "%" in plot.y_name
    assert [one.y[-1] for one in plot.series] == [
        pytest.approx(100 * one.curve.critical[-1] / one.curve.faults) for one in marked
    ]
    assert plot.readings.describe(49)[1:] == [f"{one.label.split()[0]} {one.note}" for one in plot.series]
    counted = plot_of(ChartView(ChartKind.OVERLAY, percent=False), data)
    assert [one.y[-1] for one in counted.series] == [one.curve.critical[-1] for one in marked]


@pytest.mark.parametrize(("is_ranked", "log_x", "expected"), [
    (True, None, True), (False, None, False), (True, False, False), (False, True, True)
])  # fmt: skip
def test_ranked_images_have_a_log_axis_until_the_user_says_otherwise(
    is_ranked: bool, log_x: bool | None, expected: bool
) -> None:
    data = replace(DATA, is_ranked=is_ranked)
    assert plot_of(ChartView(log_x=log_x), data).x.log is expected
    assert plot_of(ChartView(ChartKind.SCATTER, log_x=log_x), data).x.log is bool(log_x)
    assert ("ranked by EL2N" in plot_of(ChartView(log_x=log_x), data).x_name) is is_ranked


def test_part_of_the_data_set_is_said_beside_random_orders() -> None:
    curve = make_curve(72, images=72)
    data = ChartData(7, curve, make_image_counts(curve, 10_000), make_orders(curve))
    plot = plot_of(ChartView(ChartKind.COMPARISON), data)
    assert "its 72 of 10,000 images" in plot.title
    assert plot.readings.describe(71)[0] == f"ranked {int(curve.critical[-1]):,} critical faults"


@pytest.mark.parametrize("width", [40, 78, 118])
def test_the_critical_count_is_read_first_and_never_cut(width: int) -> None:
    for kind in (ChartKind.CURVE, ChartKind.SCATTER):
        lines = text(ChartView(kind, cursor=122), width, 24).splitlines()
        first = next(line for line in lines if line.startswith(" critical ") and "non-critical" in line)
        assert first.split()[1].replace(",", "").isdigit()
