"""Random images against ranked ones: how many critical faults the first images find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.picture import Ink
from dear_tui.charts.plot import STYLES, Level, Numbers, Plot, Readings, Series, Span, fitted, windowed
from dear_tui.charts.raster import LineStyle
from engine.figures.axis import Axis
from engine.metrics.registry import written

if TYPE_CHECKING:
    from dear_tui.charts.view import ChartView
    from engine.analysis.detection_orders import DetectionOrders
    from engine.store import ImageCounts

RANDOM = LineStyle(4, 4)
ORDERS = "20 random orders"


def comparison_plot(campaign: int, counts: ImageCounts, orders: DetectionOrders, view: ChartView) -> Plot:
    """Critical faults found by the first images of the campaign's own ones, ranked and in random orders."""
    images, metric = len(orders.ranked), written(counts.metric_name)
    x_axis, x = windowed(view, Axis(images)), np.arange(1.0, images + 1)
    found = int(orders.ranked[-1])
    lines = (
        Series("random, their mean", Ink.OVERLAY_4, x, orders.mean, RANDOM),
        Series(f"ranked by {metric}", Ink.CRITICAL, x, orders.ranked, STYLES[Ink.CRITICAL]),
    )
    levels = (Level(Ink.FINAL, float(found)),) if view.asymptotes else ()

    def describe(index: int) -> list[str]:
        return [
            f"ranked {orders.ranked[index]:,.0f} critical faults",
            f"random {orders.mean[index]:,.0f} ({orders.lowest[index]:,.0f} to {orders.highest[index]:,.0f})",
            f"found by the first {index + 1:,} images",
        ]

    return Plot(
        title=f"Critical faults found, ranked or random{_which(counts)}, campaign {campaign}",
        x_name="images, in each order",
        y_name="critical faults found",
        short_names=("images", "critical found"),
        x=x_axis,
        y=fitted(x_axis, lines, levels, max(found, 1), view),
        series=lines,
        bands=(Span(ORDERS, Ink.AXIS, x, orders.lowest, orders.highest),),
        readings=Readings(x, np.arange(images), np.zeros(images), describe),
        numbers=Numbers(
            {
                "images": np.arange(1, images + 1),
                "ranked": orders.ranked.astype(np.int64),
                "random_mean": orders.mean,
                "random_lowest": orders.lowest.astype(np.int64),
                "random_highest": orders.highest.astype(np.int64),
            },
            x,
        ),
        sql=(
            "-- by rank alone: the random orders are numpy's\n"
            "WITH ranked AS (\n"
            f"  SELECT image_id, row_number() OVER (ORDER BY {counts.metric_name} DESC, rank) AS place\n"
            f"  FROM images WHERE campaign = {campaign} AND rank IS NOT NULL\n"
            "), firsts AS (\n"
            "  SELECT fault_id, min(place) AS place\n"
            f"  FROM critical JOIN ranked USING (image_id) WHERE campaign = {campaign} GROUP BY fault_id\n"
            ")\n"
            "SELECT place AS images, sum(count(fault_id)) OVER (ORDER BY place) AS ranked\n"
            "FROM ranked LEFT JOIN firsts USING (place) GROUP BY place ORDER BY place"
        ),
        levels=levels,
        levels_note=f"F = {found:,} critical faults in all" if levels else "",
    )


def _which(counts: ImageCounts) -> str:
    """Which images are ordered, where these are not all of the data set."""
    images = len(counts.image_id)
    return "" if images == counts.data_set else f", its {images:,} of {counts.data_set:,} images"
