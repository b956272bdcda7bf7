"""Which plot a view shows of a campaign, or the sentence that stands in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dear_tui.charts.comparison_plot import comparison_plot
from dear_tui.charts.curve_plot import curve_plot
from dear_tui.charts.overlay_plot import Marked, overlay_plot
from dear_tui.charts.scatter_plot import scatter_plot
from dear_tui.charts.view import ChartKind

if TYPE_CHECKING:
    from dear_tui.charts.plot import Plot
    from dear_tui.charts.view import ChartView
    from engine.analysis.detection_orders import DetectionOrders
    from engine.store import CurveData, ImageCounts


VALUES = ("campaign", "is_ranked")
"""what `ChartData` holds that is no reading"""


@dataclass(frozen=True, eq=False)
class ChartData:
    """What the charts of one campaign are made of; None for what has not been read yet."""

    campaign: int
    curve: CurveData
    counts: ImageCounts | None = None
    orders: DetectionOrders | None = None
    """None too while not all images have run, and where faults are dropped once they are critical"""
    marked: tuple[Marked, ...] = ()
    is_ranked: bool = False
    """whether the most challenging images run first"""

    def is_same(self, other: ChartData) -> bool:
        """Whether the two are made of the very same readings: drawing them again would change nothing."""
        mine, others = vars(self), vars(other)
        return all(mine[name] is others[name] for name in mine if name not in VALUES) and all(
            mine[name] == others[name] for name in VALUES
        )


def make_plot(data: ChartData, view: ChartView) -> Plot | str:
    """The plot, or why there is none yet."""
    view = view.suited(data.is_ranked)
    if view.kind is ChartKind.CURVE and not len(data.curve.critical):
        return "No image has met all faults yet.\n\nv shows the next view."
    if view.kind is ChartKind.CURVE:
        return curve_plot(data.campaign, data.curve, data.counts, view, data.is_ranked)
    if view.kind is ChartKind.OVERLAY:
        return overlay_plot(data.marked, view) if data.marked else "Reading the marked campaigns ..."
    if data.counts is None:
        return "Reading the images ..."
    if view.kind is ChartKind.SCATTER:
        return scatter_plot(data.campaign, data.counts, view)
    if data.orders is None or not data.counts.complete.all():
        return _no_comparison(data.counts)
    return comparison_plot(data.campaign, data.counts, data.orders, view)


def _no_comparison(counts: ImageCounts) -> str:
    """Why random images cannot be compared with ranked ones yet, or at all."""
    workload, done = len(counts.image_id), int(counts.complete.sum())
    if counts.dropped.any():
        return (
            "Random images can only be compared with ranked ones where every fault runs on every image.\n"
            'With goal = "critical_faults" a fault is dropped once it is critical; goal = "severities" runs all.\n\n'
            "v shows the next view."
        )
    if done == workload:
        return "Reading the critical faults ..."
    return (
        "Critical faults found by random images and by ranked ones: drawn once every image has run.\n"
        f"{done:,} of {workload:,} have.\n\nv shows the next view."
    )
