"""What of a campaign's charts is shown, and how; keys make new views of old ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from engine.figures.axis import WHOLE

if TYPE_CHECKING:
    from dear_tui.charts.picture import Ink

ZOOM = 2.0
PAN = 0.25
"""share of what is shown"""


class ChartKind(Enum):
    """The views of the live screen; the value is what the user reads."""

    CURVE = "detection curve"
    SCATTER = "scatter"
    COMPARISON = "random against ranked"
    OVERLAY = "marked campaigns"


@dataclass(frozen=True)
class ChartView:
    """Held apart from the data, so that it stays as it is when newer data come."""

    kind: ChartKind = ChartKind.CURVE
    log: bool = False
    """the y axis"""
    log_x: bool | None = None
    """None: as suits the data, until the user says otherwise"""
    asymptotes: bool = True
    hidden: frozenset[Ink] = frozenset()
    """classes, and the metric of the curve"""
    frozen: bool = False
    density: bool = False
    """scatter: cells shaded by how many points they hold"""
    shares: bool = False
    """marked campaigns: x in share of the images instead of ranks"""
    percent: bool | None = None
    """marked campaigns: y in percent of each one's faults; None: where their numbers of faults differ"""
    window: tuple[float, float] = WHOLE
    """the part of the x axis that is shown, in shares of its length"""
    cursor: int | None = None
    """key of the plot's reading that is read out"""

    def beside(self) -> ChartView:
        """The view of a second, small chart, which shows what this one does not: the scatter, or else the curve."""
        if self.kind is ChartKind.SCATTER:
            return ChartView(ChartKind.CURVE)
        return ChartView(ChartKind.SCATTER, log=True, density=True)

    def suited(self, is_ranked: bool) -> ChartView:
        """With an x axis for the data, unless the user chose one.

        Args:
            is_ranked: whether the most challenging images come first; then nearly all happens at the first ones.
        """
        if self.log_x is not None:
            return self
        is_early = self.kind is ChartKind.COMPARISON or (is_ranked and self.kind is not ChartKind.SCATTER)
        return replace(self, log_x=is_early)

    def zoomed(self, factor: float, anchor: float, least: float) -> ChartView:
        """Show more or less of the x axis.

        Args:
            factor: above 1 enlarges.
            anchor: the place that stays where it is, 0 the left edge of what is shown and 1 the right.
            least: the smallest window, so that there is something to see.
        """
        start, stop = self.window
        length = min(max((stop - start) / factor, min(least, 1.0)), 1.0)
        return self._at(start + anchor * (stop - start - length), length)

    def panned(self, share: float) -> ChartView:
        """Move by a share of what is shown, right if positive."""
        start, stop = self.window
        return self._at(start + share * (stop - start), stop - start)

    def showing(self, place: float) -> ChartView:
        """Move as far as is needed to show what lies at a place, 0 and 1 the edges of what is shown."""
        start, stop = self.window
        if 0 <= place <= 1:
            return self
        beyond = place if place < 0 else place - 1
        return self._at(start + beyond * (stop - start), stop - start)

    def _at(self, start: float, length: float) -> ChartView:
        start = min(max(start, 0.0), 1.0 - length)
        return replace(self, window=(start, start + length))
