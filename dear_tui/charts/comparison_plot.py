"""Random images against ranked ones: how the classification settles (Fig. 3 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.picture import Ink
from dear_tui.charts.plot import STYLES, Level, Numbers, Plot, Readings, Series, by_ink, classes_of, fitted, windowed
from dear_tui.charts.raster import LineStyle
from engine.figures.axis import Axis
from engine.severity import COUNTS

if TYPE_CHECKING:
    from dear_tui.charts.view import ChartView
    from engine.analysis.classification import Comparison

RANDOM = {
    Ink.MASKED: LineStyle(1, 3),
    Ink.NON_CRITICAL: LineStyle(1, 5),
    Ink.CRITICAL: LineStyle(2, 2),
    Ink.SCREENED: LineStyle(3, 6),
}


def comparison_plot(campaign: int, metric: str, comparison: Comparison, view: ChartView) -> Plot:
    """Percent of the pairs of the first images that have each severity, in both orders."""
    ranked, random = by_ink(comparison.ranked), by_ink(comparison.random)
    images = len(comparison.ranked.critical)
    x_axis, x = windowed(view, Axis(images)), np.arange(1.0, images + 1)
    shown, hidden = classes_of(comparison.ranked.screened, view)
    classes = dict(sorted((shown | hidden).items()))
    lines = tuple(
        series
        for ink, name in shown.items()
        for series in (
            Series(name, ink, x, ranked[ink], STYLES[ink], f"{ranked[ink][-1]:.3g} %"),
            Series("random", ink, x, random[ink], RANDOM[ink]),
        )
    )
    levels = tuple(Level(Ink.FINAL, float(ranked[ink][-1])) for ink in shown) if view.asymptotes else ()

    def describe(index: int) -> list[str]:
        parts = [f"{name} {ranked[ink][index]:.3g} / {random[ink][index]:.3g} %" for ink, name in classes.items()]
        return [f"{index + 1:,} images", "ranked / random:", *parts]

    return Plot(
        heading="↑ % of pairs → images",
        title=f"Classification of campaign {campaign}, random images against ranked by {metric}",
        x_name="images",
        y_name="% of pairs",
        x=x_axis,
        y=fitted(x_axis, lines, levels, 100, view, percent=True),
        series=lines,
        readings=Readings(x, np.arange(images), np.zeros(images), describe),
        numbers=Numbers(
            {"images": np.arange(1, images + 1)}
            | {f"{order}_{ink.name.lower()}": shares[ink] for order, shares in (("ranked", ranked), ("random", random))
               for ink in classes},
            x,
        ),
        sql=(
            "-- by rank alone: the random orders are numpy's\n"
            "SELECT row_number() OVER ranked AS images,\n"
            + ",\n".join(
                f"  100.0 * sum({name}) OVER ranked\n"
                f"    / sum({' + '.join(COUNTS)}) OVER ranked AS {name}"
                for name in (ink.name.lower() for ink in classes)
            )
            + f"\nFROM images JOIN image_summary USING (campaign, image_id)\nWHERE campaign = {campaign}\n"
            f"WINDOW ranked AS (ORDER BY {metric} DESC, image_id ROWS UNBOUNDED PRECEDING)\nORDER BY images"
        ),
        hidden=tuple(hidden.items()),
        levels=levels,
        levels_note="final %" if levels else "",
    )  # fmt: skip
