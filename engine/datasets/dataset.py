"""Labelled images, as stored, and the batches the network sees."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images; image_id is the row."""

    name: str
    images: Array
    """uint8 or float32 [N, C, H, W], as stored"""
    labels: npt.NDArray[np.int64]
    """[N]"""
    mean: tuple[float, ...] = ()
    """per channel, of images in 0..1; empty: not normalised"""
    std: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """Of images, labels and normalisation: what results depend on."""
        digest = hashlib.sha256(repr((self.images.dtype.str, self.images.shape, self.mean, self.std)).encode())
        digest.update(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def batch(self, index: slice | npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The network's input for some images: float32 [n, C, H, W].

        uint8 is divided by 255, floats are taken as they are; then (x - mean) / std per channel, all in float32.
        """
        chosen = self.images[index if isinstance(index, slice) else np.asarray(index, dtype=np.int64)]
        batch = chosen.astype(np.float32)
        if chosen.dtype == np.uint8:
            batch /= np.float32(255)
        if self.mean:
            batch -= np.array(self.mean, dtype=np.float32).reshape(-1, 1, 1)
            batch /= np.array(self.std, dtype=np.float32).reshape(-1, 1, 1)
        return batch
