"""How hard each image is for the fault-free network, from its logits (one forward pass)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.metrics.metric import Metric

if TYPE_CHECKING:
    from engine.metrics.metric import Logits, MetricInput, Values


def log_softmax(logits: Logits) -> Values:
    """Log-probabilities, [N, K] -> [N, K], in float64: float32 would tie thousands of images."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(logits: Logits) -> Values:
    """Probabilities, [N, K] -> [N, K], in float64."""
    return np.exp(log_softmax(logits))


def _el2n(given: MetricInput) -> Values:
    """||p - y||_2, y the one-hot label: 0 sure and right .. sqrt 2 sure and wrong, [N]."""
    error = softmax(given.logits)
    error[np.arange(len(given.labels)), given.labels] -= 1
    return np.asarray(np.linalg.norm(error, axis=1))


def _deepgini(given: MetricInput) -> Values:
    """1 - sum p^2: 0 sure .. 1 - 1/K undecided; the label plays no part, [N]."""
    p = softmax(given.logits)
    # sum p (1 - p) is the same, and keeps apart the sure images that 1 - sum p^2 rounds to 0 or below
    return np.asarray((p * (1 - p)).sum(axis=1))


def _cross_entropy(given: MetricInput) -> Values:
    """-log p_label: 0 sure and right, without an upper bound, always finite, [N]."""
    # subtracted from 0, because the negative of 0.0 is -0.0
    return 0.0 - log_softmax(given.logits)[np.arange(len(given.labels)), given.labels]


def _entropy(given: MetricInput) -> Values:
    """-sum p log p: 0 sure .. log K undecided, in nats; the label plays no part, [N]."""
    logs = log_softmax(given.logits)
    # subtracted from 0, because the negative of 0.0 is -0.0
    return np.asarray(0.0 - (np.exp(logs) * logs).sum(axis=1))


def _margin(given: MetricInput) -> Values:
    """1 - (p_1 - p_2) of the two most probable classes: 0 sure .. 1 undecided between them, [N]."""
    others = _others(given)
    return np.asarray(others.sum(axis=1) + others.max(axis=1))


def _least_confidence(given: MetricInput) -> Values:
    """1 - p_1 of the most probable class: 0 sure .. 1 - 1/K undecided, [N]."""
    return np.asarray(_others(given).sum(axis=1))


def _others(given: MetricInput) -> Values:
    """The probabilities with the most probable class at 0, [N, K]: their sum, 1 - p_1, is 0 for no sure image."""
    p = softmax(given.logits)
    p[np.arange(len(p)), p.argmax(axis=1)] = 0
    return p


EL2N = Metric(
    name="el2n",
    title="the distance of the probabilities from the label",
    written="EL2N",
    compute=_el2n,
    center=math.sqrt(0.5),
    source="Paul et al. 2021",
)
DEEPGINI = Metric(
    name="deepgini",
    title="how evenly the probability is spread over the classes",
    written="DeepGini",
    compute=_deepgini,
    center=0.5,
    source="Weiss and Tonella 2022",
)
CROSS_ENTROPY = Metric(
    name="cross_entropy",
    title="how improbable the label is",
    written="cross-entropy",
    compute=_cross_entropy,
    center=math.log(2),
    source="the usual loss of training",
)
ENTROPY = Metric(
    name="entropy",
    title="the entropy of the probabilities",
    compute=_entropy,
    source="Shannon 1948; of active learning, Settles 2009",
)
MARGIN = Metric(
    name="margin",
    title="how close the second class comes to the first",
    compute=_margin,
    source="Scheffer et al. 2001",
)
LEAST_CONFIDENCE = Metric(
    name="least_confidence",
    title="how improbable the first class is",
    written="least confidence",
    compute=_least_confidence,
    source="Lewis and Gale 1994",
)
