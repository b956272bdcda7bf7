"""The metrics there are; a new one is a file beside this and an entry here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.metrics.features import CENTROID, KENNARD_STONE, KENNARD_STONE_CORRELATION
from engine.metrics.pixels import KENNARD_STONE_PIXELS, PIXEL_ENTROPY
from engine.metrics.probabilities import CROSS_ENTROPY, DEEPGINI, EL2N, ENTROPY, LEAST_CONFIDENCE, MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.metrics.metric import Metric, MetricInput, Values

METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        EL2N,
        DEEPGINI,
        CROSS_ENTROPY,
        ENTROPY,
        MARGIN,
        LEAST_CONFIDENCE,
        CENTROID,
        KENNARD_STONE,
        KENNARD_STONE_CORRELATION,
        PIXEL_ENTROPY,
        KENNARD_STONE_PIXELS,
    )
}
"""Name -> metric, in the order of the columns of `images`."""

OWN = "own"
"""the column of a metric of the user's own, which has no other name in the store"""

METRIC_COLUMNS = (*METRICS, OWN)
"""the columns of `images` that hold metrics"""


def written(name: str) -> str:
    """A metric as people write it, for what they read; an unknown one by its name.

    >>> written("el2n")
    'EL2N'
    """
    if name == OWN:
        return "own metric"
    return (METRICS[name].written if name in METRICS else "") or name.replace("_", " ")


def metrics_for(ranking: Metric) -> tuple[Metric, ...]:
    """The metrics that a campaign ranked by one of them computes: that one, and all that need logits only."""
    known = {name: metric for name, metric in METRICS.items() if metric.needs == "logits"}
    return tuple((known | {ranking.name: ranking}).values())


def compute_metrics(given: MetricInput, metrics: Iterable[Metric]) -> dict[str, Values]:
    """Some metrics of every image.

    Args:
        given: of N images, with what these metrics need.
        metrics: which ones.

    Returns:
        Metric name -> [N], raw values.

    Raises:
        InputError: for a label that is no class of the network, for non-finite logits, and for a value that is not
            finite, naming the first image.
    """
    _check(given)
    return {metric.name: _values(metric, given) for metric in metrics}


def _check(given: MetricInput) -> None:
    labels, classes = given.labels, given.logits.shape[1]
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        image = outside[0]
        raise InputError(
            f"[dataset] image {image} has the label {labels[image]}, but the network has {classes} classes "
            f"(labels 0 to {classes - 1}); fix the labels or use weights with more classes"
        )
    broken = np.flatnonzero(~np.isfinite(given.logits).all(axis=1))
    if len(broken):
        raise InputError(
            f"[model] the fault-free network gives image {broken[0]} a logit that is not finite; "
            "check its weights and the [dataset] mean and std"
        )


def _values(metric: Metric, given: MetricInput) -> Values:
    values = np.asarray(metric.compute(given), dtype=np.float64)
    if values.shape != given.labels.shape:
        raise InputError(
            f"[workload] metric: {metric.name} gives an array of shape {list(values.shape)}, but should give a value "
            f"for each of {len(given.labels)} images; fix it"
        )
    broken = np.flatnonzero(~np.isfinite(values))
    if len(broken):
        raise InputError(
            f"[workload] metric: {metric.name} has no finite value for image {broken[0]}; choose another metric"
        )
    return values
