"""Metric value of every image against the faults that are critical for it (Fig. 1 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.curve_plot import worst_first
from dear_tui.charts.picture import Ink
from dear_tui.charts.plot import Numbers, Plot, Readings, Series, fitted, windowed
from engine.figures.axis import Axis, round_step
from engine.metrics.registry import written
from engine.severity import COUNTS, SEVERITIES

if TYPE_CHECKING:
    from dear_tui.charts.view import ChartView
    from engine.store import ImageCounts

DECADES = 6
"""How far below its largest value a log axis shows a metric; softmax goes down to 1e-30."""


def scatter_plot(campaign: int, counts: ImageCounts, view: ChartView) -> Plot:
    """One point for each image that every fault has run on."""
    ranks = np.flatnonzero(counts.complete)
    ranks = ranks[np.argsort(counts.metric[ranks], kind="stable")]
    metric, critical = counts.metric[ranks], counts.critical[ranks].astype(np.float64)
    x_axis = windowed(view, _metric_axis(float(metric.max(initial=0.0))))
    x = np.maximum(metric, x_axis.least) if view.log_x else metric
    notes = [f"{len(ranks):,} images"]
    if view.log and (zero := int((critical == 0).sum())):
        notes.append(f"{zero:,} of them at 0, below the log axis")
    names = (*SEVERITIES, *(("screened",) if counts.screened.any() else ()))
    points = (Series("", Ink.CRITICAL, x, critical, None, ", ".join(notes)),)

    def describe(index: int) -> list[str]:
        rank = int(ranks[index])
        return [
            *(f"{name.replace('_', '-')} {getattr(counts, name)[rank]:,}" for name in worst_first(names)),
            f"rank {rank + 1:,}",
            f"image {counts.image_id[rank]}",
            f"{written(counts.metric_name)} {counts.metric[rank]:.4g}",
        ]

    zoomed = (
        "" if view.window == (0.0, 1.0)
        else f" AND {counts.metric_name} BETWEEN {x_axis.value(0):.6g} AND {x_axis.value(1):.6g}"
    )  # fmt: skip
    return Plot(
        title=f"Critical faults of each image of campaign {campaign}",
        x_name=f"{written(counts.metric_name)} of the image",
        y_name="faults critical for the image",
        short_names=(written(counts.metric_name), "critical faults"),
        x=x_axis,
        y=fitted(x_axis, points, (), counts.faults, view),
        series=points,
        readings=Readings(x, ranks, critical, describe, critical),
        numbers=Numbers(
            {
                "image_id": counts.image_id[ranks],
                "rank": ranks,
                counts.metric_name: metric,
                **{name: getattr(counts, name)[ranks] for name in names},
            },
            x,
        ),
        sql=(
            f"SELECT image_id, rank, {counts.metric_name}, {', '.join(names)}\n"
            f"FROM images JOIN image_summary USING (campaign, image_id)\nWHERE campaign = {campaign}{zoomed}\n"
            f"  AND {' + '.join(COUNTS)} = {counts.faults}\n"
            f"ORDER BY critical DESC, rank"
        ),
    )


def _metric_axis(highest: float) -> Axis:
    """From 0 to a round number above the highest value."""
    highest = highest or 1.0
    step = round_step(highest / 8, fractions=True)
    high = float(np.ceil(highest / step - 1e-9) * step)
    return Axis(high, least=10.0 ** (np.ceil(np.log10(high)) - DECADES), fractions=True)
