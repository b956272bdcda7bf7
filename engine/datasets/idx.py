"""MNIST's file format, IDX (LeCun, Cortes, Burges), gzipped or not."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.paths import is_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from engine.datasets.dataset import Array

UNSIGNED_BYTE = 8

MOST_BYTES = 2 * 10**9
"""of a file, unpacked: three times the largest of EMNIST; it is read whole"""


def read_idx_pair(folders: Iterable[Path], split: str) -> tuple[Array, Array] | None:
    """Images uint8 [N, 1, H, W] and labels int64 [N] of a split ("train" or "t10k"); None in no folder has both files.

    Raises:
        InputError: a file that is not IDX, or a label above 9.
    """
    for folder in folders:
        images = _find(folder, f"{split}-images-idx3-ubyte")
        labels = _find(folder, f"{split}-labels-idx1-ubyte")
        if images and labels:
            classes = read_idx(labels, dimensions=1).astype(np.int64)
            if classes.max(initial=0) > 9:
                image = int(classes.argmax())
                raise InputError(f"{labels}: image {image} has label {classes[image]}; labels are 0 to 9")
            return read_idx(images, dimensions=3)[:, None], classes
    return None


def read_idx(path: Path, dimensions: int) -> Array:
    """The bytes of an IDX file: uint8 with that many dimensions, [N, H, W] of images and [N] of labels.

    Raises:
        InputError: it is no such file, or its header announces more than `MOST_BYTES` or not what follows. A gzip that
            expands without end is read only as far as its header announces.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 + 4 * dimensions)
            shape = _shape(path, header, dimensions)
            size = math.prod(shape)
            data = file.read(size + 2)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch the file again") from None
    if len(data) != size:
        follow = f"more than {size + 1}" if len(data) > size + 1 else len(data)
        announced = " x ".join(map(str, shape))
        raise InputError(f"{path}: its header announces {announced} bytes, but {follow} follow; fetch the file again")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _shape(path: Path, header: bytes, dimensions: int) -> tuple[int, ...]:
    if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]):
        raise InputError(f"{path}: not an IDX file of bytes in {dimensions} dimensions; fetch the file again")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if math.prod(shape) > MOST_BYTES:
        announced = " x ".join(map(str, shape))
        raise InputError(
            f"{path}: its header announces {announced} bytes, and {MOST_BYTES:,} are the most; fetch the file again"
        )
    return shape


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if is_file(path)), None)
