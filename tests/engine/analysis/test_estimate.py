"""A share of a population and its interval: known values, its ends, and how often it holds the truth."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.analysis.estimate import estimate_mean, estimate_rate, estimate_share, weighted_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.analysis.estimate import Share


def share_interval(hits: int, sample: int, population: int, confidence: float) -> tuple[float, float]:
    """Of one stratum."""
    share = estimate_share(np.array([hits]), np.array([sample]), np.array([population]), confidence)
    assert share.value == hits / sample
    return share.low, share.high


@pytest.mark.parametrize(
    ("hits", "sample", "confidence", "low", "high"),
    [
        # Wilson's interval without continuity correction, as R's prop.test(correct = FALSE) gives it
        (10, 100, 0.95, 0.0552, 0.1744),
        (95, 100, 0.95, 0.8882, 0.9785),
        # that of Clopper and Pearson, as R's binom.test gives it
        (1, 10, 0.95, 0.0025, 0.4450),
        (4, 100, 0.99, 0.0068, 0.1206),
        (99, 100, 0.95, 0.9455, 0.9997),
        # and one-sided
        (0, 20, 0.95, 0.0, 0.1391),
        (20, 20, 0.95, 0.8609, 1.0),
    ],
)
def test_known_intervals(hits: int, sample: int, confidence: float, low: float, high: float) -> None:
    assert share_interval(hits, sample, 10**12, confidence) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("confidence", "times"), [(0.95, 3.0), (0.99, 4.61)])
def test_of_none_in_n_there_are_at_most_a_few_in_n(confidence: float, times: float) -> None:
    low, high = share_interval(0, 5000, 10**12, confidence)
    assert (low, high) == (0, pytest.approx(times / 5000, rel=0.01))


def test_all_of_the_population_leaves_no_doubt() -> None:
    assert share_interval(3, 10, 10, 0.99) == (0.3, 0.3)
    assert share_interval(0, 1, 1, 0.99) == (0.0, 0.0)


def test_much_of_the_population_is_better_than_little() -> None:
    low, high = share_interval(50, 100, 120, 0.99)
    wide_low, wide_high = share_interval(50, 100, 10**9, 0.99)
    assert wide_low < low < 0.5 < high < wide_high


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    population, sample, confidence = 500, 100, 0.95
    ends = [share_interval(hits, sample, population, confidence) for hits in range(sample + 1)]
    held = []
    for marked in range(10, population, 10):
        ways = [comb(marked, hits) * comb(population - marked, sample - hits) for hits in range(sample + 1)]
        inside = [way for way, (low, high) in zip(ways, ends, strict=True) if low <= marked / population <= high]
        held.append(sum(inside) / comb(population, sample))
    assert np.mean(held) == pytest.approx(confidence, abs=0.005)


def test_strata_count_by_their_populations() -> None:
    hits, sample, population = np.array([50, 1]), np.array([100, 100]), np.array([1_000, 99_000])
    share = estimate_share(hits, sample, population, 0.99)
    assert share.value == pytest.approx(0.01 * 0.5 + 0.99 * 0.01)
    pooled = estimate_share(np.array([51]), np.array([200]), np.array([100_000]), 0.99)
    assert share.low < share.value < share.high < pooled.low
    assert estimate_rate(hits, sample, population) == pytest.approx(share.value)


def test_strata_that_gave_nothing_are_left_out() -> None:
    with_none = estimate_share(np.array([5, 0]), np.array([10, 0]), np.array([100, 100]), 0.95)
    assert with_none == estimate_share(np.array([5]), np.array([10]), np.array([100]), 0.95)
    assert estimate_rate(np.array([0]), np.array([0]), np.array([10])) == 0
    with pytest.raises(ValueError, match="nothing was drawn"):
        estimate_share(np.array([0]), np.array([0]), np.array([10]), 0.95)


def test_strata_run_in_full_leave_no_doubt() -> None:
    share = estimate_share(np.array([1, 2]), np.array([4, 6]), np.array([4, 6]), 0.99)
    assert (share.value, share.low, share.high) == pytest.approx((0.3, 0.3, 0.3))


def test_where_no_stratum_has_a_hit_the_interval_is_open_above() -> None:
    share = estimate_share(np.array([0, 0]), np.array([50, 50]), np.array([1_000, 9_000]), 0.95)
    assert share.value == share.low == 0
    of_all = estimate_share(np.array([0]), np.array([100]), np.array([10_000]), 0.95)
    assert of_all.high < share.high < 0.1  # unequal weights tell less than equal ones


def test_strata_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(1)
    population, sample, rates = np.array([400, 4_000, 40_000]), np.array([100, 150, 150]), np.array([0.3, 0.05, 0.1])
    marked = (population * rates).astype(int)
    truth = marked.sum() / population.sum()
    held = 0
    for _ in range(2_000):
        hits = random.hypergeometric(marked, population - marked, sample)
        share = estimate_share(hits, sample, population, 0.95)
        held += share.low <= truth <= share.high
    assert held / 2_000 == pytest.approx(0.95, abs=0.015)


def sampled_mean(values: NDArray[np.int64], images: int, sample: int, seed: int) -> Share:
    drawn = np.random.default_rng(seed).choice(values, sample, replace=False)
    return estimate_mean(drawn, images, np.zeros(sample, np.int64), np.array([len(values)]), 0.99)


@pytest.mark.parametrize("sample", [200, 660, 8000])
@pytest.mark.parametrize("differing", [40, 320, 2000])
@pytest.mark.parametrize("common", [0, 993])
def test_means_of_skewed_faults_are_held_as_often_as_they_say(sample: int, differing: int, common: int) -> None:
    """Most faults agree, and a few are anywhere between: as pairs that are critical, and as accuracies."""
    values = np.full(20_480, common)
    values[:differing] = np.random.default_rng(5).integers(0, 1000, differing)
    held = 0
    for seed in range(500):
        share = sampled_mean(values, 1000, sample, seed)
        held += share.low <= values.mean() / 1000 <= share.high
    assert held / 500 >= 0.98


def test_many_faults_that_differ_little_tell_more_than_as_many_hits() -> None:
    share = sampled_mean(np.arange(400, 600).repeat(100), 1000, 2000, seed=1)
    as_hits = estimate_share(np.array([1000]), np.array([2000]), np.array([20_000]), 0.99)
    assert share.high - share.low < 0.2 * (as_hits.high - as_hits.low)


def test_a_mean_of_strata_weighs_them_and_knows_those_run_in_full() -> None:
    counts, stratum = np.array([10, 10, 0, 0, 0, 5]), np.array([0, 0, 1, 1, 1, 1])
    share = estimate_mean(counts, 10, stratum, np.array([2, 98]), 0.95)
    assert share.value == pytest.approx(0.02 + 0.98 * 0.125)
    assert share.low < share.value < share.high
    known = estimate_mean(counts, 10, stratum, np.array([2, 4]), 0.95)
    assert (known.low, known.high) == (known.value, known.value)
    with_none = estimate_mean(counts, 10, stratum, np.array([2, 98, 900]), 0.95)
    assert with_none == share, "a stratum that gave nothing is left out"


def test_a_mean_counts_each_fault_for_what_it_stands_for() -> None:
    assert weighted_mean(np.array([0, 10]), np.array([300.0, 100.0])) == 2.5
