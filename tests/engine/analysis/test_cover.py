"""Few images that show every fault: against trying all sets, and what is told where not all can be tried."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.analysis.cover import Incidence, greedy_order
from engine.analysis.optimal_cover import smallest_cover


def incidence_of(shows: np.ndarray) -> Incidence:
    """Of a matrix [faults, images] of which each row has some image."""
    fault, image = np.nonzero(shows)
    return Incidence(fault, image, shows.shape[1])


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.tuples(st.integers(1, 7), st.integers(1, 9)))
    shows = draw(hnp.arrays(np.bool_, shape))
    shows[np.arange(shape[0]), draw(hnp.arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))] = True
    return shows


def fewest(shows: np.ndarray) -> int:
    """By trying all sets, the small ones first."""
    images = range(shows.shape[1])
    return next(
        size
        for size in range(1, shows.shape[1] + 1)
        if any(shows[:, list(some)].any(axis=1).all() for some in combinations(images, size))
    )


@given(matrices())
def test_no_smaller_set_shows_all(shows: np.ndarray) -> None:
    cover = smallest_cover(incidence_of(shows))
    assert shows[:, cover.images].any(axis=1).all()
    assert len(cover.images) == cover.at_least == fewest(shows)
    assert cover.gap == 0
    assert (np.diff(cover.images) > 0).all()


def plain_greedy(shows: np.ndarray, times: int) -> list[int]:
    wanted = np.minimum(times, shows.sum(axis=1))
    order: list[int] = []
    while wanted.any():
        left = [(-np.count_nonzero(shows[:, image] & (wanted > 0)), image) for image in range(shows.shape[1])
                if image not in order]  # fmt: skip
        _, best = min(left)
        order.append(best)
        wanted = np.maximum(wanted - shows[:, best], 0)
    return order + [image for image in range(shows.shape[1]) if image not in order]


@given(matrices(), st.integers(1, 3))
def test_greedy_takes_the_image_that_shows_most_that_is_still_wanted(shows: np.ndarray, times: int) -> None:
    assert greedy_order(incidence_of(shows), times).tolist() == plain_greedy(shows, times)


@given(matrices())
def test_a_fault_is_first_seen_at_the_first_image_that_shows_it(shows: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(shows.shape[1])
    first = incidence_of(shows).first_seen(order)
    assert first.tolist() == shows[:, order].argmax(axis=1).tolist()


def test_pairs_are_numbered_by_the_workload_and_others_are_left_out() -> None:
    incidence = Incidence.of(np.array([70, 9, 70, 9]), np.array([5, 3, 3, 8]), np.array([3, 5]))
    assert (incidence.faults, incidence.images) == (2, 2)
    assert list(zip(incidence.fault.tolist(), incidence.image.tolist(), strict=True)) == [(1, 1), (0, 0), (1, 0)]


def hard() -> np.ndarray:
    """Each fault is shown by some of many images, none of which stands out."""
    return np.random.default_rng(1).random((120, 90)) < 0.06


@pytest.fixture
def hard_incidence() -> Incidence:
    shows = hard()
    return incidence_of(shows[shows.any(axis=1)])


def test_without_time_what_is_known_is_told(hard_incidence: Incidence) -> None:
    cover = smallest_cover(hard_incidence, seconds=1e-9)
    best = smallest_cover(hard_incidence)
    assert len(np.unique(hard_incidence.fault[np.isin(hard_incidence.image, cover.images)])) == hard_incidence.faults
    assert cover.at_least <= best.at_least == len(best.images) <= len(cover.images)
    assert cover.gap == pytest.approx(1 - cover.at_least / len(cover.images))


def test_of_too_many_pairs_the_greedy_choice_is_told_with_a_bound(
    hard_incidence: Incidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = smallest_cover(hard_incidence)
    monkeypatch.setattr("engine.analysis.optimal_cover.MOST_CELLS", 10)
    cover = smallest_cover(hard_incidence)
    assert 1 <= cover.at_least <= len(best.images) <= len(cover.images)
    greedy = greedy_order(hard_incidence)
    assert set(cover.images.tolist()) == set(greedy[: len(cover.images)].tolist())


def test_nothing_to_show_needs_nothing() -> None:
    nothing = Incidence(np.zeros(0, np.int64), np.zeros(0, np.int64), 5)
    cover = smallest_cover(nothing)
    assert (len(cover.images), cover.at_least, cover.gap) == (0, 0, 0)
    assert greedy_order(nothing).tolist() == [0, 1, 2, 3, 4]
