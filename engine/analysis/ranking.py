"""How well metrics rank the images: how early each order shows the critical faults, and how alike the orders are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.metrics.selection import rank_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.analysis.cover import Incidence

    Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RankingQuality:
    """How early an order of the images shows the critical faults."""

    order: str
    """a metric; or `random`: the mean over all orders; or `greedy`, near the best there is"""
    area: float
    """under the detection curve, 0..1 of faults and images (APFD)"""
    images_for_all: float | None
    """of the order, until every fault that is critical for any image has been seen; None where it is not one order"""


def ranking_quality(metrics: Mapping[str, Values], incidence: Incidence) -> list[RankingQuality]:
    """The orders that some metrics give to the images that were run, between the two that bound them.

    The area is that of Rothermel et al., TSE 2001: 1 - sum of T_f / (n m) + 1 / (2 n), T_f being the place of the
    first of n images that fault f, one of m critical ones, is critical for. With the order of a metric one reads what
    share of the critical faults an image of it has seen in the mean.

    Args:
        metrics: name -> [n] of the images of `incidence`.
        incidence: which images show which faults; nothing is told where there is no critical fault.
    """
    if not incidence.faults:
        return []
    found = [
        _quality(name, incidence.first_seen(rank_order(values)), incidence.images) for name, values in metrics.items()
    ]
    found.sort(key=lambda each: -each.area)
    best = _quality("greedy", incidence.first_seen(incidence.greedy), incidence.images)
    shown_by = np.bincount(incidence.fault, minlength=incidence.faults)
    at_random = _area((incidence.images + 1) / (shown_by + 1), incidence.images)
    return [best, *found, RankingQuality("random", at_random, None)]


def _quality(name: str, first: npt.NDArray[np.int64], images: int) -> RankingQuality:
    return RankingQuality(name, _area(first + 1, images), float(first.max() + 1))


def _area(places: npt.NDArray[np.float64] | npt.NDArray[np.int64], images: int) -> float:
    return float(1 - places.sum() / (images * len(places)) + 1 / (2 * images))


def spearman(metrics: Mapping[str, Values]) -> npt.NDArray[np.float64]:
    """Spearman's rank correlation of each metric with each: the paper's Table II, [M, M].

    NaN where a metric has one value for all images.

    Args:
        metrics: name -> [N] of all images.

    >>> spearman({"a": np.array([1.0, 2.0, 3.0]), "b": np.array([1.0, 9.0, 4.0])}).round(6).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    from scipy.stats import rankdata  # a second to import

    ranks = rankdata(np.stack(list(metrics.values())), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    with np.errstate(invalid="ignore"):
        correlation: npt.NDArray[np.float64] = ranks @ ranks.T / np.outer(norms, norms)
    return correlation.clip(-1, 1)
