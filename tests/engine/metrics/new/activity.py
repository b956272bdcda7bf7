"""How much the last layer reads: a metric of features, to show what a new one needs."""

import numpy as np

from engine.metrics.metric import Metric, MetricInput


def _activity(given: MetricInput) -> np.ndarray:
    return np.linalg.norm(given.features.astype(np.float64), axis=1)


ACTIVITY = Metric("activity", "the norm of what the last layer reads", _activity, needs="features", layer="fc3")
