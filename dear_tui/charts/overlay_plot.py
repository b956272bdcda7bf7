"""The critical curves of several campaigns, one over the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dear_tui.charts.picture import OVERLAYS
from dear_tui.charts.plot import Numbers, Plot, Readings, Series, fitted, windowed
from dear_tui.charts.raster import LineStyle
from engine.figures.axis import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.charts.view import ChartView
    from engine.store import CurveData

PATTERNS = (
    *(LineStyle(thickness=2), LineStyle(), LineStyle(4, 4), LineStyle(1, 1), LineStyle(6, 2)),
    *(LineStyle(4, 4, 2), LineStyle(2, 6)),
)
"""One more than inks would repeat the pairs later still: the two numbers have no common factor."""


@dataclass(frozen=True, eq=False)
class Marked:
    """A campaign marked for comparison."""

    id: int
    name: str
    curve: CurveData


def overlay_plot(marked: Sequence[Marked], view: ChartView) -> Plot:
    """Critical faults so far over images, or over the share of each campaign's images."""
    in_percent = is_in_percent(marked, view)
    high = 100.0 if view.shares else max(one.curve.images for one in marked)
    x_axis = windowed(view, Axis(high, fractions=view.shares))
    lines = tuple(_line(index, one, view.shares, in_percent) for index, one in enumerate(marked))
    longest = max(marked, key=lambda one: len(one.curve.critical))
    ids = ", ".join(str(one.id) for one in marked)
    return Plot(
        title=f"Critical faults of campaigns {ids}",
        x_name="% of each one's images" if view.shares else "images, in the order in which they run",
        y_name="critical faults found, % of each one's faults" if in_percent else "critical faults found",
        short_names=("% of images" if view.shares else "images", "critical, % of faults" if in_percent else "critical"),
        x=x_axis,
        y=fitted(
            *(x_axis, lines, (), 100 if in_percent else max(one.curve.faults for one in marked), view, in_percent)
        ),
        series=lines,
        readings=_readings(marked, longest, view.shares, in_percent),
        numbers=_numbers(marked, lines),
        sql=f"SELECT campaign, rank, critical\nFROM curve\nWHERE campaign IN ({ids})\nORDER BY campaign, rank",
    )


def is_in_percent(marked: Sequence[Marked], view: ChartView) -> bool:
    """As the user chose; else in percent where numbers of faults differ, so that counts cannot be compared."""
    return len({one.curve.faults for one in marked}) > 1 if view.percent is None else view.percent


def _line(index: int, one: Marked, shares: bool, in_percent: bool) -> Series:
    critical = np.insert(one.curve.critical, 0, 0).astype(np.float64)
    if in_percent:
        critical *= 100 / max(one.curve.faults, 1)
    x = np.arange(float(len(critical))) * (100 / one.curve.images if shares else 1)
    ink, pattern = OVERLAYS[index % len(OVERLAYS)], PATTERNS[index % len(PATTERNS)]
    return Series(f"#{one.id} {one.name}", ink, x, critical, pattern, _count(critical[-1], in_percent))


def _count(value: float, in_percent: bool) -> str:
    return f"{value:.3g} %" if in_percent else f"{value:,.0f}"


def _readings(marked: Sequence[Marked], longest: Marked, shares: bool, in_percent: bool) -> Readings:
    """Where the curve with the most images has its steps."""
    done = len(longest.curve.critical)
    scale = 100 / longest.curve.images if shares else 1
    x = np.arange(1.0, done + 1) * scale

    def describe(index: int) -> list[str]:
        where = f"{x[index]:.3g} % of images" if shares else f"{index + 1:,} images"
        parts = []
        for one in marked:
            images = round(x[index] * one.curve.images / 100) if shares else index + 1
            known = 0 < images <= len(one.curve.critical)
            scale = 100 / max(one.curve.faults, 1) if in_percent else 1
            found = _count(scale * one.curve.critical[images - 1], in_percent) if known else "–"
            parts.append(f"#{one.id} {found}")
        return [where, *parts]

    return Readings(x, np.arange(done), np.zeros(done), describe)


def _numbers(marked: Sequence[Marked], lines: Sequence[Series]) -> Numbers:
    return Numbers(
        {
            "campaign": np.concatenate([np.full(len(one.curve.critical), one.id) for one in marked]),
            "rank": np.concatenate([np.arange(len(one.curve.critical)) for one in marked]),
            "critical": np.concatenate([one.curve.critical for one in marked]),
            "faults": np.concatenate([np.full(len(one.curve.critical), one.curve.faults) for one in marked]),
        },
        np.concatenate([line.x[1:] for line in lines]),
    )
