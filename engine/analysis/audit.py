"""What an audit of the screened pairs and faults tells of all of them: how many it has missed at most."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.analysis.estimate import highest_rate

CONFIDENCE = 0.95
"""One-sided: one audit in twenty tells too low a bound."""


MOST_DRAWN = 0.003
"""share of all pairs that are drawn at most: of few pairs in all, hardly any can be left out"""

LEAST_FAULTS = 200
"""drawn in any case, or all: some of them are critical, and about a hundred that are not have to be left"""


def pairs_to_draw(missed_at_most: float, pairs: int) -> int:
    """How many of all pairs have to be drawn to show that no larger share was missed, if none of them is a miss.

    Args:
        missed_at_most: share of all pairs, to be shown with a confidence of `CONFIDENCE`.
        pairs: of the whole campaign.

    >>> pairs_to_draw(1e-5, 166_000_000), pairs_to_draw(1e-5, 1_000_000), pairs_to_draw(5e-324, 1_000_000)
    (299574, 3000, 3000)
    """
    return math.ceil(min(-math.log(1 - CONFIDENCE) / missed_at_most, MOST_DRAWN * pairs))


def faults_to_draw(share: float, faults: int) -> int:
    """Count the faults of which an audit runs all screened pairs.

    >>> faults_to_draw(0.01, 16_600), faults_to_draw(0.01, 100_000)
    (200, 1000)
    """
    return min(faults, max(LEAST_FAULTS, math.ceil(share * faults)))


@dataclass(frozen=True)
class MissedBound:
    """How many of the things that were taken for not critical without a run are critical all the same."""

    skipped: int
    """taken for not critical, what the audit found to be critical included"""
    audited: int
    """drawn from them at random and run"""
    missed: int
    """of those that were run: critical"""
    missed_at_most: float
    """of all that were skipped, with a confidence of `CONFIDENCE`"""


@dataclass(frozen=True)
class AuditResults:
    """How far a screened campaign can be trusted."""

    pairs: MissedBound
    """screened pairs; audited are those that were drawn by themselves, in one pool over all layers"""
    faults: MissedBound
    """faults with screened pairs and no critical one; audited are those all of whose screened pairs were run"""
    confidence: float = CONFIDENCE
    by_change: int = 0
    """so many of the screened pairs were called safe by their exact change, the others by their bound alone"""


def bound_missed(skipped: int, audited: int, missed: int, known: int = 0) -> MissedBound:
    """The upper bound of what was missed: the Clopper-Pearson bound of the rate, of all that was skipped.

    Args:
        skipped: taken for not critical, misses included.
        audited: drawn from these uniformly and run.
        missed: of these, critical.
        known: critical ones of all that was skipped that were found in any way: the bound is never below.

    >>> round(bound_missed(skipped=1_000_000, audited=30_000, missed=0).missed_at_most, 1)
    99.9
    """
    most = float(missed) if audited >= skipped else skipped * highest_rate(missed, audited, CONFIDENCE)
    return MissedBound(skipped, audited, missed, max(most, float(known)))
