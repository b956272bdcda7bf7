"""How hard each image is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import InputError
from engine.metrics.metric import MetricInput
from engine.metrics.probabilities import softmax
from engine.metrics.registry import METRICS, compute_metrics

OF_LOGITS = [metric for metric in METRICS.values() if metric.needs == "logits"]
finite = st.floats(-(2.0**100), 2.0**100, width=32)
logit_arrays = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6), elements=finite)


def compute(rows, labels):
    given = MetricInput(np.asarray(rows, dtype=np.float32), np.asarray(labels, dtype=np.int64))
    return compute_metrics(given, OF_LOGITS)


def test_known_values():
    p = [0.7, 0.2, 0.1]
    metrics = compute([np.log(p)], [1])
    assert metrics["el2n"][0] == pytest.approx(math.sqrt(0.7**2 + 0.8**2 + 0.1**2))
    assert metrics["deepgini"][0] == pytest.approx(1 - (0.49 + 0.04 + 0.01))
    assert metrics["cross_entropy"][0] == pytest.approx(-math.log(0.2))
    assert metrics["entropy"][0] == pytest.approx(-sum(each * math.log(each) for each in p))
    assert metrics["margin"][0] == pytest.approx(1 - (0.7 - 0.2))
    assert metrics["least_confidence"][0] == pytest.approx(1 - 0.7)


def test_the_centers_are_the_values_on_the_two_class_boundary():
    metrics = compute([[9.0, 9.0, -1e4]], [0])
    centers = {metric.name: metric.center for metric in OF_LOGITS if metric.center is not None}
    assert {name: metrics[name][0] for name in centers} == pytest.approx(centers)
    assert list(centers) == ["el2n", "deepgini", "cross_entropy"]


@given(logit_arrays, st.data())
def test_bounds_and_shapes(logits, data):
    images, classes = logits.shape
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images)))
    metrics = compute(logits, labels)
    assert list(metrics) == [metric.name for metric in OF_LOGITS]
    for values in metrics.values():
        assert (values.shape, values.dtype) == ((images,), np.float64)
        assert np.isfinite(values).all()
        assert not np.signbit(values).any()
    assert (metrics["el2n"] <= math.sqrt(2) + 1e-12).all()
    assert (metrics["deepgini"] <= 1 - 1 / classes + 1e-12).all()
    assert (metrics["entropy"] <= math.log(classes) + 1e-12).all()
    assert (metrics["margin"] <= 1 + 1e-12).all()
    assert (metrics["least_confidence"] <= 1 - 1 / classes + 1e-12).all()
    assert (metrics["least_confidence"] <= metrics["margin"]).all()


@given(logit_arrays)
def test_probabilities_sum_to_one(logits):
    assert softmax(logits).sum(axis=1) == pytest.approx(np.ones(len(logits)))


def test_float64_keeps_apart_what_float32_ties():
    metrics = compute([[20.0, 0.0], [20.5, 0.0], [40.0, 0.0]], [0, 0, 0])
    assert (np.diff(metrics["el2n"]) < 0).all()
    for name in ("deepgini", "entropy", "margin", "least_confidence"):
        assert (np.diff(metrics[name]) < 0).all(), name
    assert metrics["cross_entropy"][0] > metrics["cross_entropy"][1]


def test_cross_entropy_of_a_hopeless_label_is_finite():
    assert compute([[3e38, -3e38]], [1])["cross_entropy"][0] == pytest.approx(6e38)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class(label):
    with pytest.raises(
        InputError, match=rf"image 1 has the label {label}, but the network has 3 classes \(labels 0 to 2\)"
    ):
        compute([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], [2, label])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_golden_logits_that_are_not_finite(value):
    with pytest.raises(InputError, match="gives image 1 a logit that is not finite"):
        compute([[0.0, 1.0], [value, 1.0]], [0, 0])
