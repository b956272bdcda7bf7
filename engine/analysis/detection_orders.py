"""How many critical faults the first images find, in one order of the images or another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.metrics.selection import random_images, rank_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.analysis.cover import Incidence, Places

    Floats = NDArray[np.float64]

BAND_SEEDS = range(20)
"""orders of the random images"""


@dataclass(frozen=True, eq=False)
class DetectionOrders:
    """Critical faults found by the first 1, 2 .. n images, each [n]."""

    ranked: Floats
    """by a metric"""
    lowest: Floats
    """of the random orders"""
    mean: Floats
    highest: Floats

    @classmethod
    def of(cls, incidence: Incidence, metric: Floats) -> DetectionOrders:
        """Compare a ranking of n images with random orders of the same ones.

        Args:
            incidence: of n images.
            metric: [n], in the order of the incidence's numbers.
        """
        images = incidence.images
        drawn = np.array([found_by(incidence, random_images(images, images, seed)) for seed in BAND_SEEDS])
        ranked = found_by(incidence, rank_order(metric))
        return cls(ranked, drawn.min(axis=0), drawn.mean(axis=0), drawn.max(axis=0))


def found_by(incidence: Incidence, order: Places) -> Floats:
    """Faults found by the first 1, 2 .. n images of an order of all n, [n]."""
    first = np.bincount(incidence.first_seen(order), minlength=incidence.images)
    return np.cumsum(first).astype(np.float64)
