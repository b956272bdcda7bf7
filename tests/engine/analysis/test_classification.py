"""Random images against ranked ones, against adding up one image after the other."""

import numpy as np
import pytest

from engine.analysis.classification import compare_orders
from engine.metrics.selection import random_images

METRIC = np.array([0.1, 0.9, 0.5, 0.5])
COUNTS = {"masked": [9, 2, 5, 8], "non_critical": [1, 5, 4, 2], "critical": [0, 3, 1, 0]}


def percent(name: str, order: list[int]) -> list[float]:
    """After each image: how many of the pairs so far have this severity."""
    so_far, shares = 0, []
    for images, image in enumerate(order, start=1):
        so_far += COUNTS[name][image]
        shares.append(100 * so_far / (10 * images))
    return shares


@pytest.mark.parametrize("name", list(COUNTS))
def test_equals_adding_up_image_by_image(name: str) -> None:
    comparison = compare_orders(**{key: np.array(counts) for key, counts in COUNTS.items()}, metric=METRIC)
    assert getattr(comparison.ranked, name).tolist() == pytest.approx(percent(name, [1, 2, 3, 0]))
    draws = [percent(name, random_images(4, 4, seed).tolist()) for seed in range(5)]
    assert getattr(comparison.random, name).tolist() == pytest.approx(np.mean(draws, axis=0).tolist())


def test_screened_pairs_are_pairs_too() -> None:
    """The shares are of all pairs, and not of those that were run."""
    counts = {key: np.array(values) for key, values in COUNTS.items()}
    run = counts | {"masked": counts["masked"] - 2}
    comparison = compare_orders(**run, metric=METRIC, screened=np.full(4, 2))
    whole = compare_orders(**counts, metric=METRIC)
    for order, expected in ((comparison.ranked, whole.ranked), (comparison.random, whole.random)):
        assert order.critical.tolist() == expected.critical.tolist()
        assert order.screened.tolist() == pytest.approx([20.0] * 4)
        assert (order.masked + 20).tolist() == pytest.approx(expected.masked.tolist())
