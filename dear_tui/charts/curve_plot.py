"""The detection curve (Fig. 2 of the paper): faults per class over the ranked images, the metric, the final count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.picture import Ink
from dear_tui.charts.plot import STYLES, Level, Numbers, Plot, Readings, Series, by_ink, classes_of, fitted, windowed
from engine.analysis.curve import BAND
from engine.figures.axis import Axis
from engine.metrics.registry import written
from engine.severity import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dear_tui.charts.view import ChartView
    from engine.store import CurveData, ImageCounts


def curve_plot(
    campaign: int, curve: CurveData, counts: ImageCounts | None, view: ChartView, is_ranked: bool = False
) -> Plot:
    """After every image: how many faults are masked, non-critical and critical so far.

    Args:
        campaign: its id, for the title.
        curve: what is drawn.
        view: how.
        is_ranked: whether the most challenging images come first.
        counts: for the image ids; read later than the curve.
    """
    classes = class_curves(curve)
    shown, hidden = classes_of(curve.screened, view)
    done = len(curve.critical)
    x_axis = windowed(view, Axis(curve.images))
    x = np.arange(done + 1.0)
    scale = float(curve.metric.max(initial=0.0)) or 1.0
    name_of_metric = f"{written(curve.metric_name)} / {scale:.3g}"
    metric = Series(
        *(f"{name_of_metric}, right axis", Ink.METRIC, np.arange(float(len(curve.metric))), curve.metric),
        *(STYLES[Ink.METRIC], "", scale),
    )
    lines = tuple(
        Series(name, ink, x, classes[ink].astype(np.float64), STYLES[ink], f"{classes[ink][-1]:,}")
        for ink, name in shown.items()
    )
    final = int(classes[Ink.CRITICAL][-1])
    levels = (
        (Level(Ink.BAND, final * (1 - BAND)), Level(Ink.BAND, final * (1 + BAND)), Level(Ink.FINAL, final))
        if view.asymptotes
        else ()
    )
    image_ids = counts.image_id[:done] if counts is not None else None
    plot = Plot(
        title=f"Cumulative detection curve of campaign {campaign}",
        x_name=images_axis(written(curve.metric_name) if is_ranked else ""),
        y_name="faults by their worst severity so far",
        short_names=("images", f"{next(iter(shown.values()))} faults" if len(shown) == 1 else "faults"),
        x=x_axis,
        y=fitted(x_axis, lines, levels, curve.faults, view),
        series=(metric, *lines),
        readings=Readings(x[1:], np.arange(done), np.zeros(done), lambda rank: _describe(curve, image_ids, rank)),
        numbers=_numbers(curve, image_ids),
        sql=(
            f"SELECT rank, image_id, metric, {', '.join(_counts(curve))}\n"
            f"FROM curve\nWHERE campaign = {campaign}{_ranks_of(x_axis)}\nORDER BY rank"
        ),
        hidden=tuple(hidden.items()),
        levels=levels,
        levels_note=_levels_note(final, done == curve.images) if levels else "",
        right_ticks=((1.0, "1"), (0.5, "½"), (0.0, "0")),
        right_name=f"{name_of_metric} of each image",
    )
    return plot.without_right_axis() if Ink.METRIC in view.hidden else plot


def images_axis(metric: str) -> str:
    """The name of an axis of images, by the metric that ranks them or "" where nothing does."""
    return f"images, ranked by {metric}" if metric else "images, in the order in which they run"


def _levels_note(final: int, is_whole: bool) -> str:
    """What F is."""
    return f"F = {final:,} critical faults {'in all' if is_whole else 'so far'}, ±10 %"


def class_curves(curve: CurveData) -> dict[Ink, NDArray[np.int64]]:
    """Faults per class after 0, 1, 2 ... images, int64 [done + 1]; before any image every fault is masked."""
    after = by_ink(curve).items()
    return {ink: np.insert(counts, 0, curve.faults if ink is Ink.MASKED else 0) for ink, counts in after}


def _describe(curve: CurveData, image_ids: NDArray[np.int64] | None, rank: int) -> list[str]:
    image = [] if image_ids is None or rank >= len(image_ids) else [f"image {image_ids[rank]}"]
    counts = _counts(curve)
    return [
        *(f"{name.replace('_', '-')} {counts[name][rank]:,}" for name in worst_first(counts)),
        f"after {rank + 1:,} {'image' if rank == 0 else 'images'}",
        *image,
        f"{written(curve.metric_name)} {curve.metric[rank]:.4g}",
    ]


def worst_first(names: Iterable[str]) -> list[str]:
    """Columns of counts with critical first: that is what one looks for, and the end may stand in another row."""
    order = [*reversed(SEVERITIES)]
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def _counts(curve: CurveData) -> dict[str, NDArray[np.int64]]:
    """The counts by their columns in SQL; of screened faults only where there are some."""
    names = (*SEVERITIES, *(("screened",) if curve.screened.any() else ()))
    return {name: getattr(curve, name) for name in names}


def _numbers(curve: CurveData, image_ids: NDArray[np.int64] | None) -> Numbers:
    done = len(curve.critical)
    ids = {} if image_ids is None else {"image_id": image_ids}
    return Numbers(
        {
            "rank": np.arange(done),
            **ids,
            curve.metric_name: curve.metric[:done],
            **_counts(curve),
        },
        np.arange(1.0, done + 1),
    )


def _ranks_of(axis: Axis) -> str:
    """The condition that gives the ranks of a zoomed axis."""
    if axis.value(0) <= 1 and axis.value(1) >= axis.high - 0.5:
        return ""
    return f" AND rank BETWEEN {max(int(np.ceil(axis.value(0))) - 1, 0)} AND {int(axis.value(1)) - 1}"
