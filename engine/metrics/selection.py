"""Which images a campaign runs, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.metrics.image_list import read_image_list

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.config.campaign_config import WorkloadConfig

    Values = npt.NDArray[np.float64]
    ImageIds = npt.NDArray[np.int64]


LEAST = 1e-4
"""of a metric that is not taken for 0"""


def rank_order(metric: Values) -> ImageIds:
    """All image ids [N] by descending `metric` [N], ties by image id.

    >>> rank_order(np.array([0.1, 0.9, 0.9])).tolist()
    [1, 2, 0]
    """
    return np.argsort(-metric, kind="stable").astype(np.int64)


def central(metric: Values, center: float, eps: float = 0.3) -> ImageIds:
    """The images with |metric - center| <= eps, [n] ids in rank order (the paper's section VI-A); `metric` [N].

    >>> central(np.array([0.1, 0.6, 0.9]), center=0.7).tolist()
    [2, 1]
    """
    order = rank_order(metric)
    return order[np.abs(metric[order] - center) <= eps]


def pre_plateau(metric: Values, threshold: float = 5e-5) -> ImageIds:
    """The images of every rank k up to the last one where |m_k - m_(k+1)| >= threshold (the paper's section VI-B).

    Args:
        metric: [N] of every image.
        threshold: steepest metric step of the plateau.

    Returns:
        [n] ids in rank order.

    >>> pre_plateau(np.array([0.2, 0.9, 0.5, 0.2])).tolist()
    [1, 2]
    """
    order = rank_order(metric)
    steep = np.flatnonzero(np.abs(np.diff(metric[order])) >= threshold)
    return order[: steep[-1] + 1] if len(steep) else order[:0]


def nonzero(metric: Values, least: float = LEAST) -> ImageIds:
    """The images with metric > least, [n] ids in rank order; `metric` [N].

    >>> nonzero(np.array([0.0, 0.9, 0.5])).tolist()
    [1, 2]
    """
    order = rank_order(metric)
    return order[metric[order] > least]


def random_images(images: int, n: int, seed: int) -> ImageIds:
    """The first n of numpy's `default_rng(seed)` permutation of so many images, [n] ids in that order."""
    return np.random.default_rng(seed).permutation(images)[:n].astype(np.int64)


def select_images(config: WorkloadConfig, metric: Values) -> ImageIds:
    """The workload: [W] image ids in the order they run, hardest first unless random.

    Args:
        config: the `[workload]` table.
        metric: [N] the metric it names, of every image of the data set.

    Raises:
        InputError: for a selection that is empty or larger than the data set.
    """
    images = _select(config, metric)
    if len(images) == 0:
        raise InputError(
            f'[workload] select: "{config.select}" picks none of {len(metric)} images; {MEND[config.select]}'
        )
    return images


MEND = {
    "all": "give a data set with images",
    "fraction": "raise fraction",
    "central": "widen eps or move center",
    "pre_plateau": "lower threshold",
    "nonzero": "choose another metric or selection",
    "list": "give a list with images",
    "random": "raise fraction",
}


def _select(config: WorkloadConfig, metric: Values) -> ImageIds:
    match config.select:
        case "all":
            return rank_order(metric)
        case "top_n" | "fraction":
            return rank_order(metric)[: _size(config, len(metric))]
        case "central":
            assert config.boundary is not None, "the config has asked for a center"
            return central(metric, config.boundary, config.eps)
        case "pre_plateau":
            return pre_plateau(metric, config.threshold)
        case "nonzero":
            return nonzero(metric)
        case "list":
            assert config.list is not None, "the config has asked for one"
            return read_image_list(config.list, len(metric))
        case "random":
            return random_images(len(metric), _size(config, len(metric)), config.seed)


def known_size(config: WorkloadConfig, images: int) -> int | None:
    """How many of so many images are selected; None where that depends on the metric.

    Raises:
        InputError: more are asked for than there are.
    """
    match config.select:
        case "all":
            return images
        case "top_n" | "fraction" | "random":
            return _size(config, images)
        case "list":
            assert config.list is not None, "the config has asked for one"
            return len(read_image_list(config.list, images))
        case _:
            return None


def _size(config: WorkloadConfig, images: int) -> int:
    """How many images n or fraction asks for."""
    if config.n is None:
        return round((config.fraction or 0) * images)
    if config.n > images:
        raise InputError(f"[workload] n: {config.n} images are asked of a data set of {images}; lower n")
    return config.n
