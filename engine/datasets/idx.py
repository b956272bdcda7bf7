"""MNIST's file format, IDX (LeCun, Cortes, Burges), gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from engine.datasets.dataset import Array

UNSIGNED_BYTE = 8


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
    """The bytes of an IDX file: uint8 with that many dimensions."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch the file again") from None
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]):
        raise InputError(f"{path}: not an IDX file of bytes in {dimensions} dimensions; fetch the file again")
    shape = tuple(int(size) for size in np.frombuffer(data[4:header], dtype=">u4"))
    if len(data) - header != np.prod(shape, dtype=object):
        raise InputError(
            f"{path}: its header announces {' x '.join(map(str, shape))} bytes, but {len(data) - header} follow; "
            "fetch the file again"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
