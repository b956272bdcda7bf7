"""How unusual each image is, by features and by pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.config.campaign_config import check_config, load_config
from engine.metrics.kennard_stone import kennard_stone
from engine.metrics.metric import MetricInput
from engine.metrics.registry import METRICS, compute_metrics
from engine.running.metric_input import metric_input
from engine.running.preparation import prepare
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.steps import Step


def values_of(name: str, labels: Sequence[int] = (), features: object = None, pixels: object = None) -> np.ndarray:
    count = len(labels)
    batches = None if pixels is None else lambda: iter(np.array_split(np.asarray(pixels), 2))
    taken = None if features is None else np.asarray(features, np.float32)
    given = MetricInput(np.zeros((count, 3), np.float32), np.asarray(labels, np.int64), taken, batches)
    return compute_metrics(given, [METRICS[name]])[name]


def plain_kennard_stone(points: np.ndarray) -> list[int]:
    """As the paper words it, over all distances at once."""
    distance = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, -1)
    order = [int(place) for place in np.unravel_index(distance.argmax(), distance.shape)]
    while len(order) < len(points):
        nearest = distance[:, order].min(axis=1)
        nearest[order] = -1
        order.append(int(nearest.argmax()))
    return order


@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 24), st.integers(1, 4)), elements=st.integers(-9, 9)))
def test_kennard_stone_is_its_own_definition(points: np.ndarray) -> None:
    """Of whole numbers, whose distances are exact: equal ones go to the lower index."""
    assert kennard_stone(points).tolist() == plain_kennard_stone(points)


def test_kennard_stone_of_real_spread_is_its_own_definition() -> None:
    points = np.random.default_rng(3).normal(size=(300, 7))
    assert kennard_stone(points).tolist() == plain_kennard_stone(points)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_kennard_stone_of_few(count: int) -> None:
    assert kennard_stone(np.arange(float(count))[:, None]).tolist() == list(range(count))


def test_kennard_stone_says_how_far_it_is() -> None:
    steps: list[Step] = []
    kennard_stone(np.random.default_rng(0).normal(size=(500, 2)), steps.append)
    assert {step.text for step in steps} == {"finding the images farthest apart", "picking images far apart"}
    assert steps[-1].done == steps[-1].total == 500


def test_the_first_picked_is_the_highest() -> None:
    features = [[0.0], [1.0], [10.0], [6.0]]
    assert values_of("kennard_stone", [0] * 4, features=features).tolist() == [4, 1, 3, 2]
    pixels = np.array([0, 1, 10, 6], np.uint8).reshape(4, 1, 1, 1)
    assert values_of("kennard_stone_pixels", [0] * 4, pixels=pixels).tolist() == [4, 1, 3, 2]


def test_correlation_knows_no_size() -> None:
    """Of two images with features of one shape one is picked last."""
    features = [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [3.0, 2.0, 1.0], [1.0, 3.0, 2.0]]
    values = values_of("kennard_stone_correlation", [0] * 4, features=features)
    assert values.tolist() == [4, 1, 3, 2]


def test_features_that_are_all_alike_correlate_with_none() -> None:
    values = values_of("kennard_stone_correlation", [0] * 3, features=[[5.0, 5.0], [1.0, 2.0], [2.0, 1.0]])
    assert values.tolist() == [1, 3, 2]


def test_the_centroid_is_that_of_the_label() -> None:
    features = [[0.0, 0.0], [2.0, 0.0], [7.0, 7.0], [1.0, 3.0]]
    values = values_of("centroid", [0, 0, 2, 0], features=features)
    assert values == pytest.approx([2**0.5, 2**0.5, 0, 2])


def test_pixel_entropy_is_of_the_shades() -> None:
    images = np.zeros((4, 1, 2, 2), np.uint8)
    images[1] = [[0, 0], [255, 255]]
    images[2] = [[0, 1], [2, 3]]
    images[3] = [[9, 9], [9, 0]]
    expected = [0, 1, 2, -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))]
    assert values_of("pixel_entropy", [0] * 4, pixels=images) == pytest.approx(expected)
    as_shares = images.astype(np.float32) / 255
    assert values_of("pixel_entropy", [0] * 4, pixels=as_shares) == pytest.approx(expected)


def test_colours_are_seen_in_grey() -> None:
    red, grey = (100, 0, 0), (30, 30, 30)  # of one luma
    images = np.array([[red, grey], [red, (0, 100, 0)]], np.uint8).transpose(0, 2, 1)[..., None]
    assert values_of("pixel_entropy", [0, 0], pixels=images).tolist() == [0, 1]


def test_shades_depend_on_the_image_alone() -> None:
    """Not on what is in the same batch, nor on how dark a byte is."""
    dark = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 255, 7, 9], [3, 3, 3, 3]], np.uint8).reshape(4, 1, 2, 2)
    expected = values_of("pixel_entropy", [0] * 4, pixels=dark)
    assert values_of("pixel_entropy", [0] * 4, pixels=dark[::-1]).tolist() == expected[::-1].tolist()
    mixed = np.array([[0, 0.5, 1, 1], [-1, 3, 0.5, 1], [0.25, 0.25, 0.26, 0.26]], np.float32).reshape(3, 1, 2, 2)
    alone = [values_of("pixel_entropy", [0, 0], pixels=mixed[[i, i]])[0] for i in range(3)]
    assert values_of("pixel_entropy", [0] * 3, pixels=mixed).tolist() == alone


def test_normalised_pixels_are_seen_between_their_own_ends() -> None:
    images = np.array([[-1.0, -1.0, 2.0, 2.0], [-3.0, -3.0, -3.0, -3.0]], np.float32).reshape(2, 1, 2, 2)
    assert values_of("pixel_entropy", [0, 0], pixels=images).tolist() == [1, 0]


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.needs != "logits"])
def test_a_campaign_can_be_ranked_by_it(name: str, tmp_path: Path) -> None:
    workload = {"metric": name, "select": "top_n", "n": 10}
    prepared = prepare(load_config(write_config(tmp_path, workload=workload, faults={"count": 5})))
    values = prepared.metrics[name]
    assert values.shape == (len(prepared.dataset),)
    assert prepared.workload.tolist() == np.argsort(-values, kind="stable")[:10].tolist()


def test_features_may_be_of_a_named_layer(tmp_path: Path) -> None:
    workload = {"metric": "centroid", "select": "top_n", "n": 3}
    faults = {"count": 5}
    of_last, of_first = (
        prepare(load_config(write_config(tmp_path, workload=workload | layer, faults=faults)))
        for layer in ({}, {"layer": "fc1"})
    )
    assert not np.array_equal(of_last.metrics["centroid"], of_first.metrics["centroid"])
    given = metric_input(
        METRICS["centroid"], np.zeros((len(of_last.dataset), 10), np.float32), of_last.plain, of_last.dataset, "cpu", 64
    )
    assert compute_metrics(given, [METRICS["centroid"]])["centroid"] == pytest.approx(of_last.metrics["centroid"])


def test_a_layer_is_refused_where_no_features_are_read() -> None:
    tables = {"name": "x", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}
    problems = check_config(tables | {"workload": {"metric": "el2n", "layer": "fc1"}})
    assert isinstance(problems, list)
    [problem] = problems
    assert (problem.key, "does not apply to el2n, which reads no features" in problem.reason) == ("layer", True)
