"""Images and labels in a numpy .npz file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.datasets.dataset import Array


def read_npz(path: Path) -> tuple[Array, Array]:
    """Arrays `images` (uint8 or float, [N, C, H, W] or [N, H, W]) and `labels` (whole numbers, [N]).

    Returns:
        Images as uint8 or float32 [N, C, H, W], labels as int64 [N].

    Raises:
        InputError: no such file, arrays missing or of another kind; pickled objects are never read.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give [dataset] path an .npz file with images and labels")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = {"images", "labels"} - set(arrays)
            if missing:
                raise InputError(f"{path}: has no array {' or '.join(sorted(missing))}; save images and labels there")
            images, labels = arrays["images"], arrays["labels"]
    except (OSError, ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile):
        raise InputError(f"{path}: not an .npz file of plain arrays; save it with numpy.savez") from None
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or not (images.dtype == np.uint8 or images.dtype.kind == "f"):
        raise InputError(
            f"{path}: images are {images.dtype} {images.shape}; save uint8 or float images as [N, C, H, W] or [N, H, W]"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(f"{path}: labels are {labels.dtype} {labels.shape}; save one whole number per image")
    return images if images.dtype == np.uint8 else images.astype(np.float32), labels.astype(np.int64)
