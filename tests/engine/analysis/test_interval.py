"""The interval of a share: known values, its ends, and how often it holds the truth."""

from math import comb

import numpy as np
import pytest

from engine.analysis.interval import share_interval


@pytest.mark.parametrize(
    ("hits", "sample", "confidence", "low", "high"),
    [
        # Wilson's interval without continuity correction, as R's prop.test(correct = FALSE) gives it
        (10, 100, 0.95, 0.0552, 0.1744),
        (1, 10, 0.95, 0.0179, 0.4042),
        (0, 20, 0.95, 0.0, 0.1611),
        (20, 20, 0.95, 0.8389, 1.0),
    ],
)
def test_wilson(hits: int, sample: int, confidence: float, low: float, high: float) -> None:
    assert share_interval(hits, sample, 10**12, confidence) == pytest.approx((low, high), abs=1e-4)


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
