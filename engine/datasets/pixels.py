"""Whether every pixel of a data set is a number that a network can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from engine.datasets.dataset import Dataset

LARGEST_PLAIN = 2.0
"""Floats from 0 up to more than this are hardly in 0..1, as networks without normalisation take them."""


def check_pixels(dataset: Dataset, where: str, on_step: OnStep = nobody_waits) -> tuple[str, ...]:
    """Go through all images, some at a time, as the network gets them.

    Args:
        dataset: of float images.
        where: what the data set is called in sentences.
        on_step: told how many are looked at.

    Returns:
        A sentence where they look as if they should be divided by 255.

    Raises:
        InputError: naming the first image with a pixel that is NaN, infinite or too large for float32.
    """
    low, high = np.inf, -np.inf
    for block in dataset.blocks():
        on_step(Step("checking the pixels", block.start, len(dataset)))
        with np.errstate(over="ignore", invalid="ignore"):
            batch = dataset.batch(block)
        finite = np.isfinite(batch).reshape(len(batch), -1).all(axis=1)
        if not finite.all():
            place = int(finite.argmin())
            stored = dataset.images[block.start + place]
            raise InputError(f"{where}: image {block.start + place} has {_fault(stored)}; mend or remove it")
        low, high = min(low, float(batch.min())), max(high, float(batch.max()))
    if dataset.mean or low < 0 or high <= LARGEST_PLAIN:
        return ()
    return (f"{where}: floats are taken as they are, and these images reach {high:g}: divide them by 255 first?",)


def _fault(image: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> str:
    if np.isnan(image).any():
        return "a pixel that is NaN"
    if np.isinf(image).any():
        return "a pixel that is infinite or larger than float32 holds"
    return f"a pixel of {np.abs(image).max():g}, which [dataset] mean and std make infinite"
