"""Labelled images, as stored, and the batches the network sees."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.datasets.images import Array, Images, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Array", "Dataset", "LabelledImages"]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """What was read from the files of a data set, not checked yet."""

    images: Images
    labels: npt.NDArray[np.int64]
    """[N]"""
    notes: tuple[str, ...] = ()
    """what a user should know of how they were read, a clause each"""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images; image_id is the row."""

    name: str
    images: Images
    """uint8 or float32 [N, C, H, W], as stored: an array, or where it is large, something like one that is read on
    demand"""
    labels: npt.NDArray[np.int64]
    """[N]"""
    mean: tuple[float, ...] = ()
    """per channel, of images in 0..1; empty: not normalised"""
    std: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    """what a user should know of how it was read, a sentence each"""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def kept_bytes(self) -> int:
        """The bytes of the images that stay in memory; 0 where they are read on demand."""
        return self.images.nbytes if isinstance(self.images, np.ndarray) else 0

    @cached_property
    def sha256(self) -> str:
        """The hash of images, labels and normalisation, on which results depend. Every image is read, some at once."""
        digest = hashlib.sha256(repr((self.images.dtype.str, self.images.shape, self.mean, self.std)).encode())
        for block in blocks(self.images):
            digest.update(np.ascontiguousarray(self.images[block]).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def batch(self, index: slice | npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The network's input for some images: float32 [n, C, H, W] in C order, a copy.

        uint8 is divided by 255, floats are taken as they are; then (x - mean) / std per channel, all in float32.

        Raises:
            InputError: images that are read on demand cannot be read any more.
        """
        chosen = self.images[index if isinstance(index, slice) else np.asarray(index, dtype=np.int64)]
        batch = chosen.astype(np.float32, order="C")
        if chosen.dtype == np.uint8:
            batch /= np.float32(255)
        if self.mean:
            batch -= np.array(self.mean, dtype=np.float32).reshape(-1, 1, 1)
            batch /= np.array(self.std, dtype=np.float32).reshape(-1, 1, 1)
        return batch

    def blocks(self) -> Iterator[slice]:
        """All images in order, a few MB at a time."""
        return blocks(self.images)
