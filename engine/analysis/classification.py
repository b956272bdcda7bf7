"""Fault classification by a growing workload: random images against the ranked ones (the paper's Fig. 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.tables import RANDOM_SEEDS
from engine.metrics.selection import random_images, rank_order

if TYPE_CHECKING:
    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]
    Percent = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Classification:
    """Percent of the (fault, image) pairs of the first 1, 2, 3 ... images that have each severity, [N] each."""

    masked: Percent
    non_critical: Percent
    critical: Percent
    screened: Percent


@dataclass(frozen=True, eq=False)
class Comparison:
    """The classification of a data set by its images in two orders; both end at the same percentages."""

    ranked: Classification
    """by descending metric"""
    random: Classification
    """mean of 5 permutations"""


def compare_orders(
    masked: Counts, non_critical: Counts, critical: Counts, metric: Percent, screened: Counts | None = None
) -> Comparison:
    """How quickly each order of a data set estimates its classification.

    Args:
        masked, non_critical, critical: [N] faults per image, by image id; with `screened` each image adds up to all.
        metric: [N] by image id.
        screened: [N] faults per image that a bound calls safe, by image id; None: no pair was.
    """
    images = len(metric)
    counts = np.stack([masked, non_critical, critical, np.zeros_like(masked) if screened is None else screened])
    ranked = _percent(counts, rank_order(metric))
    random = np.mean([_percent(counts, random_images(images, images, seed)) for seed in RANDOM_SEEDS], axis=0)
    return Comparison(Classification(*ranked), Classification(*random))


def _percent(counts: Counts, order: Counts) -> npt.NDArray[np.float64]:
    """[4, N] percent of each severity after 1, 2, 3 ... images."""
    so_far = np.cumsum(counts[:, order], axis=1)
    share: npt.NDArray[np.float64] = 100 * so_far / so_far.sum(axis=0)
    return share
