"""How bright an image is: a metric of pixels, to show what a new one needs."""

import numpy as np

from engine.metrics.metric import Metric, MetricInput


def _brightness(given: MetricInput) -> np.ndarray:
    return np.concatenate([batch.reshape(len(batch), -1).mean(axis=1) for batch in given.pixels()])


BRIGHTNESS = Metric("brightness", "the mean of the pixels", _brightness, needs="pixels")
