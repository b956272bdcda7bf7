"""The bound of what an audit can have missed: known values, its ends, and how often it holds."""

from math import comb

import numpy as np
import pytest

from engine.analysis.audit import CONFIDENCE, bound_missed
from engine.analysis.estimate import highest_rate


@pytest.mark.parametrize(
    ("missed", "audited", "rate"),
    [
        (0, 100, 1 - 0.05 ** (1 / 100)),
        (1, 10, 0.3941633),  # the upper end of R's binom.test(1, 10, alternative = "less")
        (10, 10, 1.0),
        (0, 0, 1.0),
    ],
)
def test_known_rates(missed: int, audited: int, rate: float) -> None:
    assert highest_rate(missed, audited, 0.95) == pytest.approx(rate, abs=1e-7)


@pytest.mark.parametrize(("missed", "audited"), [(0, 7), (5, 100), (40, 60)])
def test_the_rate_shows_so_few_misses_once_in_twenty(missed: int, audited: int) -> None:
    rate = highest_rate(missed, audited, 0.95)
    chances = (comb(audited, k) * rate**k * (1 - rate) ** (audited - k) for k in range(missed + 1))
    assert sum(chances) == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize(("missed", "audited"), [(0, 300_000), (3, 300_000), (20_000, 300_000)])
def test_a_full_campaigns_audit_is_bounded(missed: int, audited: int) -> None:
    """Without a miss it is the rule of three; with many the normal interval comes close."""
    rate, seen = highest_rate(missed, audited, 0.95), missed / audited
    if missed == 0:
        assert rate * audited == pytest.approx(-np.log(0.05), rel=1e-4)
    else:
        assert seen + 1.6449 * np.sqrt(seen * (1 - seen) / audited) < rate < seen + 3 * np.sqrt(seen / audited)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_the_bound_is_above_the_truth_as_often_as_it_says(rate: float) -> None:
    audited = 60
    holds = sum(
        comb(audited, missed) * rate**missed * (1 - rate) ** (audited - missed)
        for missed in range(audited + 1)
        if highest_rate(missed, audited, CONFIDENCE) >= rate
    )
    assert holds >= CONFIDENCE


def test_of_all_that_was_skipped() -> None:
    assert bound_missed(1_000_000, 100, 0).missed_at_most == pytest.approx(29_513.0, abs=0.5)
    assert bound_missed(50, 50, 2).missed_at_most == 2, "all was run: nothing is left to guess"
    assert bound_missed(50, 0, 0).missed_at_most == 50, "nothing was run: all may be critical"
    assert bound_missed(0, 0, 0).missed_at_most == 0
    assert bound_missed(100_000, 90_000, 0, known=7).missed_at_most == 7, "what was found is there"
