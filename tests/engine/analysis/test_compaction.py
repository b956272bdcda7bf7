"""How few images detect the critical faults, and what they detect of others."""

from __future__ import annotations

import csv
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.analysis.compaction import (
    FOLDS,
    CriticalWeights,
    compact,
    coverage_of_tests,
    images_needed,
    margins_table,
    needed_table,
    transfer,
    transfers_table,
    write_curves,
)
from engine.analysis.cover import Incidence
from engine.analysis.estimate import Confidence

if TYPE_CHECKING:
    from pathlib import Path

    from engine.analysis.compaction import Compaction


@pytest.fixture(scope="module")
def incidence() -> Incidence:
    """80 faults on 50 images: each fault by images near its own, few of them."""
    random = np.random.default_rng(4)
    shows = random.random((80, 50)) < 0.05
    shows[np.arange(80), random.integers(0, 50, 80)] = True
    fault, image = np.nonzero(shows)
    return Incidence(fault, image, 50)


@pytest.fixture(scope="module")
def compaction(incidence: Incidence) -> Compaction:
    counts = np.bincount(incidence.image, minlength=50).astype(float)
    return compact(incidence, {"most": counts, "least": -counts})


def test_images_until_a_share_is_detected() -> None:
    first = np.arange(100)[::-1]
    assert images_needed(first) == (90, 95, 99, 100)
    assert images_needed(np.array([7])) == (8, 8, 8, 8)
    assert images_needed(np.array([0] * 99 + [49])) == (1, 1, 1, 50)


def test_the_smallest_set_detects_all_with_the_fewest_images(incidence: Incidence, compaction: Compaction) -> None:
    needed = {each.order: each.images for each in compaction.needed}
    assert list(needed) == ["smallest", "greedy", "most", "least", "random"]
    size = len(compaction.order)
    assert sorted(compaction.order.tolist()) == compaction.cover.images.tolist()
    assert needed["smallest"][-1] == size == compaction.cover.at_least
    assert all(each[-1] >= size for each in needed.values())
    assert {*incidence.fault[np.isin(incidence.image, compaction.order)].tolist()} == {*range(80)}
    gains = np.diff([0, *np.searchsorted(np.sort(compaction.first_of_smallest), np.arange(size), side="right")])
    assert (np.diff(gains) <= 0).all(), "those that show most come first"


def test_chance_has_a_band(compaction: Compaction) -> None:
    by_chance = compaction.needed[-1]
    assert by_chance.fewest is not None
    assert by_chance.most is not None
    for fewest, mean, most in zip(by_chance.fewest, by_chance.images, by_chance.most, strict=True):
        assert fewest <= mean <= most
    rows = needed_table(compaction.needed).rows
    assert [row[0] for row in rows[-3:]] == ["random", "random, luckiest", "random, unluckiest"]


def test_faults_that_are_shown_more_often_leave_fewer_unseen(compaction: Compaction) -> None:
    margins = compaction.margins
    assert [each.times for each in margins] == list(range(1, len(margins) + 1))
    assert len(margins) > 1
    assert margins[0].images >= len(compaction.order)
    for fewer, more in itertools.pairwise(margins):
        assert fewer.images <= more.images
        assert fewer.held_out.value <= more.held_out.value + 0.05
    assert margins[0].held_out.value < 1
    for each in margins:
        assert each.held_out.low <= each.held_out.value <= each.held_out.high
    assert margins_table(margins, Confidence(0.99)).rows[0][:2] == (1, margins[0].images)


def test_of_few_faults_none_can_be_left_out() -> None:
    few = Incidence(np.arange(FOLDS - 1), np.arange(FOLDS - 1), 9)
    assert compact(few, {}).margins == []


def test_other_faults_count_once_each() -> None:
    found = transfer("others", np.array([3, 9]), np.array([1, 1, 2, 5]), np.array([3, 9, 4, 9]), Confidence(0.95))
    assert (found.faults, found.detected and found.detected.value) == (3, pytest.approx(2 / 3))
    nothing = transfer("none", np.array([3]), np.zeros(0, int), np.zeros(0, int), Confidence(0.95))
    assert (nothing.faults, nothing.detected) == (0, None)
    assert transfers_table([found, nothing], Confidence(0.95)).rows[1] == ("none", 0, None, None, None)


def test_curves_are_written_for_each_number_of_images(compaction: Compaction, tmp_path: Path) -> None:
    write_curves(tmp_path / "curve.csv", compaction)
    with (tmp_path / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["images"] for row in rows] == [str(count) for count in range(1, 51)]
    assert {name: rows[-1][name] for name in ("smallest", "greedy", "most", "least")} == dict.fromkeys(
        ("smallest", "greedy", "most", "least"), "80"
    )
    size = len(compaction.order)
    assert (rows[size - 1]["smallest"], rows[size - 2]["smallest"] < "80") == ("80", True)


def test_what_a_test_detects_is_told_of_the_population() -> None:
    """One critical fault in ten stands for a thousand times as many, and no other image shows it."""
    fault = np.concatenate([np.arange(9), [9]])
    image = np.concatenate([np.zeros(9, int), [1]])
    stratum = np.array([0] * 9 + [1])
    weight = np.where(stratum == 1, 1000.0, 1.0)
    incidence = Incidence(fault, image, 2)
    plain = coverage_of_tests(incidence, CriticalWeights.equal(10), Confidence(0.95))[0]
    weighted = coverage_of_tests(incidence, CriticalWeights(stratum, weight), Confidence(0.95))[0]
    assert (plain.images, plain.detected.value) == (1, pytest.approx(0.9))
    assert (weighted.images, weighted.detected.value) == (1, pytest.approx(9 / 1009))


def test_equal_weights_change_nothing() -> None:
    fault, image = np.array([1, 1, 2, 5]), np.array([3, 9, 4, 9])
    plain = transfer("others", np.array([3, 9]), fault, image, Confidence(0.95))
    equal = transfer("others", np.array([3, 9]), fault, image, Confidence(0.95), CriticalWeights.equal(3))
    assert plain == equal
