"""CIFAR-10 (Krizhevsky, 2009): the binary version and the python version."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import InputError
from engine.paths import file_bytes, is_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.datasets.dataset import Array

PIXELS = 3 * 32 * 32

MOST_BYTES = 200 * 10**6
"""of a batch file: six times the real ones; it is read whole"""
RECONSTRUCT_ARRAY = np.empty(0).__reduce__()[0]
"""the function numpy pickles its arrays with"""

TRAIN_BATCHES = [f"data_batch_{number}" for number in range(1, 6)]


def read_cifar10(folder: Path, train: bool) -> tuple[Array, Array] | None:
    """Images uint8 [N, 3, 32, 32] and labels int64 [N], or None where the files are not there.

    Looks for the binary version and then the python version, each flat in the folder or in the archive's own folder.

    Raises:
        InputError: a file that is not a CIFAR-10 batch, or a label above 9.
    """
    names = TRAIN_BATCHES if train else ["test_batch"]
    for archive, suffix, read in (
        ("cifar-10-batches-bin", ".bin", _read_binary),
        ("cifar-10-batches-py", "", _read_python),
    ):
        for place in (folder / archive, folder):
            paths = [place / f"{name}{suffix}" for name in names]
            if all(map(is_file, paths)):
                return _join(paths, read)
    return None


def _join(paths: list[Path], read: Callable[[Path], tuple[Array, Array]]) -> tuple[Array, Array]:
    for path in paths:
        size = file_bytes(path, "fetch the file again")
        if size > MOST_BYTES:
            raise InputError(
                f"{path}: has {size:,} bytes, and a CIFAR-10 batch may have {MOST_BYTES:,}; fetch it again"
            )
    batches = [read(path) for path in paths]
    for path, (_, labels) in zip(paths, batches, strict=True):
        if len(labels) and not 0 <= labels.min() <= labels.max() <= 9:
            image = int(((labels < 0) | (labels > 9)).argmax())
            raise InputError(f"{path}: image {image} has label {labels[image]}; labels are 0 to 9")
    images = np.concatenate([pixels for pixels, _ in batches]).reshape(-1, 3, 32, 32)
    return images, np.concatenate([labels for _, labels in batches])


def _read_binary(path: Path) -> tuple[Array, Array]:
    """Records of one label byte and the pixels of the red, green and blue plane."""
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch the file again") from None
    if data.size == 0 or data.size % (1 + PIXELS):
        raise InputError(f"{path}: not a whole number of {1 + PIXELS}-byte CIFAR-10 records; fetch the file again")
    records = data.reshape(-1, 1 + PIXELS)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _read_python(path: Path) -> tuple[Array, Array]:
    """A pickled dictionary with data (uint8 [N, 3072]) and labels (list of N)."""
    try:
        with path.open("rb") as file:
            batch = _ArrayUnpickler(file, encoding="latin1").load()
        pixels, labels = np.asarray(batch["data"]), np.asarray(batch["labels"])
    except Exception:  # a pickle that is broken or hostile can raise anything
        raise InputError(
            f"{path}: not a CIFAR-10 batch of arrays, and nothing else is unpickled; fetch the file again"
        ) from None
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), PIXELS) or labels.dtype.kind not in "iu":
        raise InputError(f"{path}: not {PIXELS} bytes and one whole label per image; fetch the file again")
    return pixels, labels.astype(np.int64)


def _encode_latin1(text: str, _encoding: str) -> bytes:
    return text.encode("latin1")


class _ArrayUnpickler(pickle.Unpickler):
    """Builds numpy arrays and plain values, and runs nothing a file brings along."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return RECONSTRUCT_ARRAY
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes in old pickle protocols
            return _encode_latin1
        raise pickle.UnpicklingError(f"{module}.{name} is no array")
