"""What an audit of the screened pairs and faults tells of all of them: how many it has missed at most."""

from __future__ import annotations

from dataclasses import dataclass

from engine.analysis.estimate import highest_rate

CONFIDENCE = 0.95
"""One-sided: one audit in twenty tells too low a bound."""


@dataclass(frozen=True)
class MissedBound:
    """Of things that were taken for not critical without a run: how many are critical all the same."""

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
