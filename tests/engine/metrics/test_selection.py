"""Which images run, and in which order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.campaign_config import WorkloadConfig
from engine.errors import InputError
from engine.metrics.selection import central, nonzero, pre_plateau, random_images, rank_order, select_images

METRIC = np.array([0.1, 0.9, 0.5, 0.9, 0.0, 0.7])
metrics = st.lists(st.floats(0, 1.5), min_size=1, max_size=40).map(np.array)


def select(values=METRIC, **options):
    images = select_images(WorkloadConfig(**options), values)
    assert images.dtype == np.int64
    return images.tolist()


def test_all_by_descending_metric_ties_by_image_id():
    assert select() == [1, 3, 5, 2, 0, 4]


def test_top_n_and_fraction():
    assert select(select="top_n", n=3) == [1, 3, 5]
    assert select(select="top_n", n=6) == select()
    assert select(select="fraction", fraction=0.5) == [1, 3, 5]
    assert select(select="fraction", fraction=1.0) == select()


def test_central_takes_the_metrics_own_boundary_unless_told():
    assert select(select="central") == [1, 3, 5, 2]  # el2n: 0.7071 +- 0.3
    assert select(select="central", eps=0.15) == [5]
    assert select(select="central", center=0.1, eps=0.1) == [0, 4]
    assert select(select="central", metric="deepgini", eps=0.25) == [5, 2]


def test_central_includes_its_edges():
    assert central(np.array([0.25, 0.75, 0.7500001]), center=0.5, eps=0.25).tolist() == [1, 0]


def test_pre_plateau_ends_with_the_last_steep_step():
    metric = np.array([1.0, 0.5, 0.49999, 0.3, 0.29999, 0.29998])
    assert pre_plateau(metric).tolist() == [0, 1, 2]
    assert select(metric, select="pre_plateau") == [0, 1, 2]
    assert select(metric, select="pre_plateau", threshold=0.3) == [0]
    assert pre_plateau(np.array([1.0, 0.5, 0.25]), threshold=0.5).tolist() == [
        0
    ]  # a step of just the threshold is steep


def test_nonzero_leaves_out_what_is_hardly_above_zero():
    metric = np.array([0.0, 1e-4, 1.1e-4, 0.5, -1.0])
    assert nonzero(metric).tolist() == select(metric, select="nonzero") == [3, 2]


def test_random_is_numpys_permutation_in_its_order():
    expected = np.random.default_rng(7).permutation(6).tolist()
    assert select(select="random", n=4, seed=7) == expected[:4]
    assert select(select="random", fraction=0.5, seed=7) == expected[:3]
    assert random_images(6, 6, 7).tolist() == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": "top_n", "n": 7}, r"\[workload\] n: 7 images are asked of a data set of 6; lower n"),
        ({"select": "random", "n": 7}, r"\[workload\] n: 7 images are asked of a data set of 6; lower n"),
        ({"select": "fraction", "fraction": 0.01}, r'select: "fraction" picks none of 6 images; raise fraction'),
        ({"select": "random", "fraction": 0.01}, r'select: "random" picks none of 6 images; raise fraction'),
        ({"select": "central", "center": 9.0}, r'select: "central" picks none of 6 images; widen eps or move center'),
        ({"select": "pre_plateau", "threshold": 2.0}, r'select: "pre_plateau" picks none of 6 images; lower threshold'),
    ],
)
def test_an_impossible_selection_is_one_sentence(options, message):
    with pytest.raises(InputError, match=message):
        select(**options)


def test_no_images_at_all():
    with pytest.raises(InputError, match="picks none of 0 images"):
        select(np.empty(0))


@given(metrics)
def test_rank_order_is_a_sorted_permutation(metric):
    order = rank_order(metric)
    assert sorted(order.tolist()) == list(range(len(metric)))
    assert order.tolist() == sorted(range(len(metric)), key=lambda image: (-metric[image], image))


@given(metrics, st.floats(1e-6, 0.5))
def test_the_plateau_has_no_steep_step(metric, threshold):
    order = rank_order(metric)
    kept = pre_plateau(metric, threshold)
    assert kept.tolist() == order[: len(kept)].tolist()
    steps = -np.diff(metric[order])
    assert (steps[len(kept) :] < threshold).all()
    assert len(kept) == 0 or steps[len(kept) - 1] >= threshold


@given(metrics, st.floats(0, 1.5), st.floats(0.01, 1))
def test_central_keeps_just_the_zone(metric, center, eps):
    kept = set(central(metric, center, eps).tolist())
    assert kept == {image for image, value in enumerate(metric) if abs(value - center) <= eps}
