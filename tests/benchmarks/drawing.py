"""How long the charts take to draw at 10,000 images: `python -m tests.benchmarks.drawing`, by hand, on an idle core.

The budget is 15 ms for the curve (3 x 10,000 points) and the 10,000-point scatter together at 120 x 40.
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.draw import draw_plot
from dear_tui.charts.overlay_plot import Marked
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import ChartKind, ChartView
from dear_tui.cli.printing.terminal_table import print_table
from engine.analysis.cover import Incidence
from engine.analysis.curve import DetectionCurve
from engine.analysis.detection_orders import DetectionOrders
from engine.analysis.result_table import Column, Table
from engine.analysis.result_table import Kind as CellKind
from engine.store import CurveData, ImageCounts

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS, IMAGES = 16_501, 10_000
WIDTH, HEIGHT = 118, 34
"""what 120 x 40 leaves for a chart that has the screen to itself"""
RUNS = 50


def made_up() -> ChartData:
    """A campaign of the shape that LeNet-5 on MNIST gives, and the same one four times to compare."""
    random, rank = np.random.default_rng(0), np.arange(1, IMAGES + 1)
    critical = np.floor(1040 * (1 - np.exp(-rank / 30))).astype(np.int64)
    non_critical = np.floor(10_200 * (1 - np.exp(-rank / 8))).astype(np.int64) - critical // 2
    metric = 1.38 * np.exp(-(rank - 1) / 180)
    shown = DetectionCurve(FAULTS - critical - non_critical, non_critical, critical, 0 * critical)
    curve = CurveData(**vars(shown), faults=FAULTS, images=IMAGES, metric_name="el2n", metric=metric)
    per_image = random.poisson(4 + 700 * np.exp(-(((metric - 0.7) / 0.15) ** 2))), random.poisson(2600, IMAGES)
    masked, none = FAULTS - per_image[0] - per_image[1], np.zeros(IMAGES, np.int64)
    counts = ImageCounts(
        *(masked, per_image[1], per_image[0], none, none), FAULTS, IMAGES, "el2n", np.arange(IMAGES), metric
    )
    first = np.searchsorted(critical, np.arange(int(critical[-1])), side="right")
    incidence = Incidence.of(np.arange(len(first)), first, np.arange(IMAGES))
    orders = DetectionOrders.of(incidence, metric)
    return ChartData(7, curve, counts, orders, tuple(Marked(number, "lenet5", curve) for number in range(4)))


def milliseconds(draw: Callable[[], object]) -> float:
    """Median of some runs."""
    draw()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        draw()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def main() -> None:
    """Print a table."""
    data = made_up()
    views = {kind.value: ChartView(kind) for kind in ChartKind}
    views |= {
        "scatter, shaded": ChartView(ChartKind.SCATTER, density=True),
        "both axes log": ChartView(log=True, log_x=True),
        "zoomed to 80 images": ChartView(window=(0.0, 0.008)),
    }

    def draw(view: ChartView) -> None:
        plot = make_plot(data, view)
        assert not isinstance(plot, str)
        draw_plot(plot, view, WIDTH, HEIGHT)

    took = {name: milliseconds(partial(draw, view)) for name, view in views.items()}
    took["curve and scatter together"] = took[ChartKind.CURVE.value] + took[ChartKind.SCATTER.value]
    print_table(Table("", (Column("drawn"), Column("ms", CellKind.NUMBER)), tuple(took.items())))


if __name__ == "__main__":
    main()
