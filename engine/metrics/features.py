"""How unusual each image is, from what the last layer reads of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.metrics.kennard_stone import earliness
from engine.metrics.metric import Metric

if TYPE_CHECKING:
    from engine.metrics.metric import MetricInput, Values


def _centroid(given: MetricInput) -> Values:
    """||f - mean f of the images with the same label||_2, [N]."""
    features, labels = given.features.astype(np.float64), given.labels
    means = np.zeros((int(labels.max()) + 1, features.shape[1]))
    np.add.at(means, labels, features)
    means /= np.maximum(np.bincount(labels), 1)[:, None]
    return np.asarray(np.linalg.norm(features - means[labels], axis=1))


def _kennard_stone(given: MetricInput) -> Values:
    """N - k for the image that is picked after k others, by the Euclidean distance of features, [N]."""
    return earliness(given.features.astype(np.float64), given.on_step)


def _kennard_stone_correlation(given: MetricInput) -> Values:
    """N - k for the image that is picked after k others, by 1 - r, r the correlation of two images' features, [N]."""
    features = given.features.astype(np.float64)
    features -= features.mean(axis=1, keepdims=True)
    # of rows of length 1 the squared distance is 2 (1 - r); a constant row stays 0 and correlates with none
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return earliness(features, given.on_step)


CENTROID = Metric(
    name="centroid",
    title="the distance of its features from the mean of its label",
    written="centroid distance",
    compute=_centroid,
    needs="features",
    source="Sorscher et al. 2022, with labels as clusters",
)
KENNARD_STONE = Metric(
    name="kennard_stone",
    title="how early it is picked, where each is as far as can be from those before",
    written="Kennard-Stone",
    compute=_kennard_stone,
    needs="features",
    source="Kennard and Stone 1969",
)
KENNARD_STONE_CORRELATION = Metric(
    name="kennard_stone_correlation",
    title="how early it is picked, where each is as far as can be, by correlation, from those before",
    written="Kennard-Stone (correlation)",
    compute=_kennard_stone_correlation,
    needs="features",
    source="Kennard and Stone 1969",
)
