"""A finished campaign, with two others marked, to plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.overlay_plot import Marked
from dear_tui.charts.picture import Ink
from dear_tui.charts.plots import ChartData, make_plot
from engine.analysis.classification import compare_orders
from tests.dear_tui.memory_store import make_curve, make_image_counts

if TYPE_CHECKING:
    from dear_tui.charts.plot import Plot
    from dear_tui.charts.view import ChartView

ONLY_CRITICAL = frozenset({Ink.MASKED, Ink.NON_CRITICAL})
"""What a view hides then."""


def whole_campaign() -> ChartData:
    """Number 7 with everything there is."""
    curve = make_curve(10_000)
    counts = make_image_counts(curve)
    by_id = np.argsort(counts.image_id)
    comparison = compare_orders(
        counts.masked[by_id], counts.non_critical[by_id], counts.critical[by_id], counts.metric[by_id]
    )
    central, begun = make_curve(50, images=72), make_curve(3000)
    return ChartData(
        7,
        curve,
        counts,
        comparison,
        (Marked(7, "all", curve), Marked(8, "central", central), Marked(9, "begun", begun)),
    )


DATA = whole_campaign()


def plot_of(view: ChartView, data: ChartData = DATA) -> Plot:
    """The plot, which there must be."""
    plot = make_plot(data, view)
    assert not isinstance(plot, str), plot
    return plot
