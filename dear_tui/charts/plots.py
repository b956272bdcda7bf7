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
    from engine.analysis.classification import Comparison
    from engine.store import CurveData, ImageCounts


@dataclass(frozen=True, eq=False)
class ChartData:
    """What the charts of one campaign are made of; None for what has not been read yet."""

    campaign: int
    curve: CurveData
    counts: ImageCounts | None = None
    comparison: Comparison | None = None
    """None too while not all images of the data set have run"""
    marked: tuple[Marked, ...] = ()

    def is_same(self, other: ChartData) -> bool:
        """Whether the two are made of the very same readings: drawing them again would change nothing."""
        mine, others = vars(self), vars(other)
        return (
            all(mine[name] is others[name] or name == "campaign" for name in mine) and self.campaign == other.campaign
        )


def make_plot(data: ChartData, view: ChartView) -> Plot | str:
    """The plot, or why there is none yet."""
    if view.kind is ChartKind.CURVE:
        return curve_plot(data.campaign, data.curve, data.counts, view)
    if view.kind is ChartKind.OVERLAY:
        return overlay_plot(data.marked, view) if data.marked else "Reading the marked campaigns ..."
    if data.counts is None:
        return "Reading the images ..."
    if view.kind is ChartKind.SCATTER:
        return scatter_plot(data.campaign, data.counts, view)
    if data.comparison is None:
        return _no_comparison(data.counts)
    return comparison_plot(data.campaign, data.counts.metric_name, data.comparison, view)


def _no_comparison(counts: ImageCounts) -> str:
    workload, done = len(counts.image_id), int(counts.complete.sum())
    if workload < counts.data_set:
        return (
            "Random images can only be compared with ranked ones where every image of the data set is run.\n"
            f'This campaign runs {workload:,} of {counts.data_set:,}; select = "all" runs them all.\n\n'
            "v shows the next view."
        )
    return (
        "Random images against ranked ones: drawn once every image has run.\n"
        f"{done:,} of {workload:,} have.\n\nv shows the next view."
    )
