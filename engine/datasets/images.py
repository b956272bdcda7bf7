"""Images as a data set holds them: in memory where they are small, else read when they are asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.paths import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

Array = npt.NDArray[Any]

KEPT_BYTES = 256 * 10**6
"""of images that are read once and kept in memory; larger ones are read when they are asked for"""

BLOCK_BYTES = 16 * 10**6
"""of images that are in memory at once when all are gone through"""


class Images(Protocol):
    """N images [N, C, H, W], uint8 or float32; a numpy array is one. Reading may raise InputError."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a pixel, uint8 or float32."""

    def __len__(self) -> int:
        """How many images there are."""

    def __getitem__(self, index: Any, /) -> Array:
        """The images of a slice or an int64 array [n]: [n, C, H, W]; of one whole number: [C, H, W]."""


def blocks(images: Images) -> Iterator[slice]:
    """All images in order, as slices of at most `BLOCK_BYTES`."""
    one = max(1, images.dtype.itemsize * int(np.prod(images.shape[1:], dtype=np.int64)))
    step = max(1, BLOCK_BYTES // one)
    for start in range(0, len(images), step):
        yield slice(start, min(start + step, len(images)))


def positions(index: slice | npt.ArrayLike, count: int) -> npt.NDArray[np.int64]:
    """The places among `count` that a slice or an array [n] means, [n]; negative ones count from the end.

    A single whole number gives a single place, [].

    Raises:
        IndexError: a place that there is none of.

    >>> positions([0, -1], 5).tolist()
    [0, 4]
    """
    if isinstance(index, slice):
        return np.arange(*index.indices(count), dtype=np.int64)
    places = np.asarray(index, dtype=np.int64)
    if ((places < -count) | (places >= count)).any():
        raise IndexError(f"there are {count} images, counted from 0")
    return np.where(places < 0, places + count, places)


@dataclass(frozen=True, eq=False)
class StoredRows:
    """An array in C order in a file, of which rows are read when they are asked for.

    The file is read and not mapped: where it is cut short meanwhile, that is an error and not the end of the process.
    """

    file: BinaryIO
    """open as long as this is used"""
    path: Path
    """for messages"""
    offset: int
    """bytes before the first row"""
    shape: tuple[int, ...]
    """of the whole array, [N, ...]"""
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice | npt.ArrayLike) -> Array:
        """The rows of a slice or of int64 [n], as they are stored: [n, ...]; of one whole number: [...].

        Raises:
            InputError: the file cannot be read any more.
            IndexError: a row that is not there.
        """
        places = positions(index, len(self))
        if places.ndim == 0:
            rows: Array = self[places[None]][0]
            return rows
        rows = np.empty((len(places), *self.shape[1:]), self.dtype)
        if rows.size == 0:
            return rows
        buffer = rows.reshape(len(places), -1).view(np.uint8)
        starts = np.flatnonzero(np.diff(places, prepend=-2) != 1)  # of runs of neighbours, which are read at once
        for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
            self._read(buffer[start:stop].reshape(-1), int(places[start]))
        return rows

    def _read(self, buffer: npt.NDArray[np.uint8], row: int) -> None:
        """Fill the buffer from a row on."""
        done, offset = 0, self.offset + row * (self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64)))
        while done < len(buffer):
            try:
                part = os.pread(self.file.fileno(), min(len(buffer) - done, BLOCK_BYTES), offset + done)
            except OSError as error:
                raise InputError(f"{shown(self.path)}: cannot be read any more ({error.strerror})") from None
            if not part:
                raise InputError(f"{shown(self.path)}: ends before image {row}; it was changed while it was read")
            buffer[done : done + len(part)] = np.frombuffer(part, np.uint8)
            done += len(part)
