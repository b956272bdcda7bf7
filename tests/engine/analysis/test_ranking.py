"""How early orders show the critical faults, and how alike metrics rank."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest

from engine.analysis.cover import Incidence
from engine.analysis.ranking import ranking_quality, spearman

SHOWN = Incidence(np.array([0, 0, 1, 2]), np.array([1, 3, 0, 3]), 4)
"""Fault 0 by images 1 and 3, fault 1 by image 0, fault 2 by image 3."""


def area(order: tuple[int, ...]) -> float:
    """Under the detection curve with a trapezium for each image, as Rothermel et al. draw it."""
    seen: set[int] = set()
    found = [0.0]
    for image in order:
        seen |= {
            fault for fault, shown in zip(SHOWN.fault.tolist(), SHOWN.image.tolist(), strict=True) if shown == image
        }
        found.append(len(seen) / 3)
    return sum((before + after) / 2 for before, after in pairwise(found)) / 4


def test_the_area_is_that_under_the_curve() -> None:
    rankings = ranking_quality({"rising": np.array([1.0, 2.0, 3.0, 4.0]), "falling": np.arange(4.0, 0, -1)}, SHOWN)
    by_name = {each.order: each for each in rankings}
    assert [each.order for each in rankings] == ["greedy", "rising", "falling", "random"]
    assert by_name["rising"].area == pytest.approx(area((3, 2, 1, 0)))
    assert by_name["falling"].area == pytest.approx(area((0, 1, 2, 3)))
    assert by_name["greedy"].area == pytest.approx(max(map(area, permutations(range(4)))))
    assert by_name["random"].area == pytest.approx(np.mean([area(order) for order in permutations(range(4))]))
    assert [by_name[name].images_for_all for name in ("rising", "falling", "greedy", "random")] == [4, 4, 2, None]


def test_without_a_critical_fault_no_order_is_better() -> None:
    nothing = np.zeros(0, np.int64)
    assert ranking_quality({"any": np.arange(3.0)}, Incidence(nothing, nothing, 3)) == []


def test_spearman_is_of_ranks_and_ties_share_theirs() -> None:
    metrics = {
        "a": np.array([1.0, 2.0, 3.0, 4.0]),
        "b": np.array([10.0, 100.0, 100.0, 1e9]),
        "c": np.arange(4.0, 0, -1),
    }
    found = spearman(metrics)
    tied = np.corrcoef([1, 2, 3, 4], [1, 2.5, 2.5, 4])[0, 1]
    assert found == pytest.approx(np.array([[1, tied, -1], [tied, 1, -tied], [-1, -tied, 1]]))


def test_a_metric_that_tells_nothing_correlates_with_none() -> None:
    found = spearman({"a": np.arange(3.0), "flat": np.ones(3)})
    assert np.isnan(found[0, 1])
    assert found[0, 0] == pytest.approx(1)
