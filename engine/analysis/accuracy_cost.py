"""What faults cost in accuracy, which "critical" does not tell: a fault is critical also where it corrects an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.estimate import percents
from engine.analysis.result_table import Column, Kind, Table, interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.analysis.estimate import Share
    from engine.store import CampaignSummary


@dataclass(frozen=True)
class Effect:
    """Something that a fault does to the network's answers, or does not."""

    name: str
    """for programs"""
    words: str
    """what the faults do that have it"""
    points: float | None = None
    """of accuracy, by more than which they lower it; None: it is told otherwise"""


CRITICAL = Effect("critical_faults", "change an answer (critical)")
CRITICAL_RIGHT = Effect("critical_right", "make a right answer wrong")
COSTS = (
    Effect("cost", "lower the accuracy", 0),
    Effect("cost_over_1", "lower the accuracy by over 1 point", 1),
    Effect("cost_over_5", "lower the accuracy by over 5 points", 5),
    Effect("cost_over_20", "lower the accuracy by over 20 points", 20),
)
HELPS = Effect("helps", "raise the accuracy")
EFFECTS = (CRITICAL, CRITICAL_RIGHT, *COSTS, HELPS)
NONFINITE = Effect("nonfinite", "make an output infinite or not a number")
MASKED = Effect("masked", "change no output at all (masked)")
SHOWN = (*EFFECTS, NONFINITE, MASKED)
"""What can be looked at by layer and bit"""


@dataclass(frozen=True, eq=False)
class FaultEffects:
    """What F faults do to the answers for W images, all of which have met every fault."""

    critical: NDArray[np.integer]
    """[F] images whose answer changes"""
    cost: NDArray[np.integer]
    """[F] images that golden has right, fewer those that are right under the fault; negative where the fault helps"""
    is_right_lost: NDArray[np.bool_]
    """[F] whether an image that golden has right is wrong under the fault"""
    images: int

    @classmethod
    def of(cls, summary: CampaignSummary) -> FaultEffects:
        """The effects of the faults of a campaign that dropped no pairs."""
        lost = summary.critical_fault[summary.golden_correct[summary.critical_image]]
        golden = int(summary.golden_correct[summary.workload].sum())
        return cls(summary.critical, golden - summary.correct, np.isin(summary.fault_id, lost), summary.status.images)

    def counts(self) -> dict[str, int]:
        """How many of the faults have each effect, by its name."""
        return {effect.name: int(np.count_nonzero(self.have(effect))) for effect in EFFECTS}

    def have(self, effect: Effect) -> NDArray[np.bool_]:
        """Which faults have an effect, [F]."""
        if effect.points is not None:
            # images are whole, and so are the products: no rounding decides at the very limit
            return np.asarray(100 * self.cost > effect.points * self.images)
        return {
            CRITICAL.name: self.critical > 0,
            CRITICAL_RIGHT.name: self.is_right_lost,
            HELPS.name: self.cost < 0,
        }[effect.name]


def cost_table(faults: int, counts: Mapping[str, int], shares: Mapping[str, Share], confidence: float) -> Table:
    """A row for each effect: the share of faults that have it, its interval, and how many there are.

    Args:
        faults: that were run.
        counts: faults by the name of each effect.
        shares: of the population, by name; where there is none for an effect, its share of the faults run is told.
        confidence: of the intervals, 0..1.
    """
    rows = []
    for effect in EFFECTS:
        count = counts[effect.name]
        rows.append((effect.words, *percents(shares.get(effect.name), 100 * count / max(faults, 1)), count, faults))
    return Table(
        "What faults do to answers and accuracy",
        (
            Column("effect", heading="faults that", priority=5),
            Column("percent", Kind.PERCENT, "of faults", priority=4),
            *interval(confidence, priority=3),
            Column("count", Kind.COUNT, priority=2),
            Column("of", Kind.COUNT, priority=1),
        ),
        tuple(rows),
        ("critical", "accuracy", "point"),
    )
