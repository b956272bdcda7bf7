"""A finished campaign, with two others marked, to plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.overlay_plot import Marked
from dear_tui.charts.picture import Ink
from dear_tui.charts.plots import ChartData, make_plot
from engine.analysis.cover import Incidence
from engine.analysis.detection_orders import DetectionOrders
from tests.dear_tui.memory_store import make_curve, make_image_counts

if TYPE_CHECKING:
    from dear_tui.charts.plot import Plot
    from dear_tui.charts.view import ChartView
    from engine.store import CurveData

ONLY_CRITICAL = frozenset({Ink.MASKED, Ink.NON_CRITICAL})
"""What a view hides then."""


def make_orders(curve: CurveData) -> DetectionOrders:
    """Each fault is critical for the image that finds it on the curve, and for five images anywhere."""
    images, found = curve.images, int(curve.critical[-1]) if len(curve.critical) else 0
    first = np.searchsorted(curve.critical, np.arange(found), side="right")
    later = np.random.default_rng(0).integers(0, images, (found, 5))
    image = np.column_stack([first, np.maximum(later, first[:, None])])
    pairs = np.unique(np.column_stack([np.repeat(np.arange(found), 6), image.ravel()]), axis=0)
    return DetectionOrders.of(Incidence.of(pairs[:, 0], pairs[:, 1], np.arange(images)), curve.metric)


def whole_campaign() -> ChartData:
    """Number 7 with everything there is."""
    curve = make_curve(10_000)
    counts = make_image_counts(curve)
    orders = make_orders(curve)
    central, begun = make_curve(50, images=72), make_curve(3000)
    return ChartData(
        7,
        curve,
        counts,
        orders,
        (Marked(7, "all", curve), Marked(8, "central", central), Marked(9, "begun", begun)),
    )


DATA = whole_campaign()


def plot_of(view: ChartView, data: ChartData = DATA) -> Plot:
    """The plot, which there must be."""
    plot = make_plot(data, view)
    assert not isinstance(plot, str), plot
    return plot
