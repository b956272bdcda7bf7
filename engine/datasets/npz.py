"""Images and labels in a numpy .npz file, under our names or under those of MedMNIST and Keras."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.datasets.dataset import LabelledImages
from engine.datasets.images import StoredRows
from engine.datasets.npz_file import MOST_LABEL_BYTES, ArrayMember, NpzFile, open_npz
from engine.errors import InputError
from engine.paths import file_bytes, shown
from engine.steps import OnStep, nobody_waits

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from engine.datasets.images import Array, Images

NAMES = (("images", "labels"), ("test_images", "test_labels"), ("x_test", "y_test"))
"""of the arrays: ours, then those of the test split in MedMNIST's files and in Keras's; the first pair that is there"""

CHANNELS = (1, 3, 4)
"""grey, colour, and colour with a fourth"""


def read_npz(
    path: Path, on_step: OnStep = nobody_waits, verify: bool = True, most_kept: float = math.inf
) -> LabelledImages:
    """Arrays `images` (uint8 or float, [N, C, H, W] or [N, H, W]) and `labels` (whole numbers, [N] or [N, 1]).

    Labels may also be one-hot [N, K]. Files of MedMNIST (test_images, test_labels) and Keras (x_test, y_test) give
    their test split; images [N, H, W, C] with 1, 3 or 4 channels are turned, and said to be.

    Args:
        path: the file.
        on_step: told how much of a large array is unpacked or verified.
        verify: compare large images with the file's checksum, for which all of them are read; small ones always are.
        most_kept: bytes of images that may stay in memory; more are read on demand.

    Returns:
        Images as uint8 or float32 [N, C, H, W], read on demand where they are large; labels as int64 [N].

    Raises:
        InputError: no such file, arrays missing or of another kind; pickled objects are never read.
    """
    file_bytes(path, "give [dataset] path an .npz file with images and labels")
    with open_npz(path) as file:
        image_name, label_name = _names(file)
        member = file.member(image_name)
        labels = _labels(file, label_name)
        layout, notes = _layout(path, member)
        rows = file.rows(member, on_step, verify, most_kept)
    if image_name != NAMES[0][0]:
        notes = (f"{image_name} and {label_name} are read, the test split", *notes)
    images: Images = TurnedRows(rows, layout) if isinstance(rows, StoredRows) else layout.turn(rows)
    return LabelledImages(images, labels, notes)


@dataclass(frozen=True)
class ImageLayout:
    """How stored images become [n, C, H, W]."""

    shape: tuple[int, ...]
    """(N, C, H, W)"""
    dtype: np.dtype[Any]
    """uint8 or float32"""
    channels_last: bool

    def turn(self, rows: Array) -> Array:
        """Stored images [n, H, W], [n, C, H, W] or [n, H, W, C] as uint8 or float32 [n, C, H, W], in C order."""
        if self.channels_last:
            rows = np.moveaxis(rows, -1, 1)
        with np.errstate(over="ignore"):  # a value that float32 does not hold is found with the pixels
            turned = np.ascontiguousarray(rows, dtype=self.dtype)
        return turned.reshape(len(rows), *self.shape[1:])


@dataclass(frozen=True, eq=False)
class TurnedRows:
    """Images that are read from a file when they are asked for."""

    rows: StoredRows
    layout: ImageLayout

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        return self.layout.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a pixel, uint8 or float32."""
        return self.layout.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: slice | npt.ArrayLike) -> Array:
        """The images of a slice or of int64 [n]: [n, C, H, W]; of one whole number: [C, H, W].

        Raises:
            InputError: the file cannot be read any more.
            IndexError: an image that is not there.
        """
        rows = self.rows[index]
        return self.layout.turn(rows) if rows.ndim == len(self.rows.shape) else self.layout.turn(rows[None])[0]


def _names(file: NpzFile) -> tuple[str, str]:
    held = set(file.names)
    for names in NAMES:
        if held.issuperset(names):
            return names
    begun = next((names for names in NAMES if held.intersection(names)), NAMES[0])
    missing = " or ".join(sorted(set(begun) - held))
    others = ", ".join(map(repr, sorted(held))) or "nothing"
    save = f"save {begun[0]} and {begun[1]} there"
    raise InputError(f"{shown(file.path)}: has no array {missing}, but {others}; {save}")


def _layout(path: Path, member: ArrayMember) -> tuple[ImageLayout, tuple[str, ...]]:
    """How the images are stored, and what to say of it."""
    name, shape, kind = member.name, member.shape, member.dtype
    if len(shape) not in (3, 4) or not (kind == np.uint8 or kind.kind == "f"):
        raise InputError(
            f"{shown(path)}: {name} are {kind} {shape}; save uint8 or float images as [N, C, H, W] or [N, H, W], for "
            f'example {name}.astype("uint8") for whole numbers from 0 to 255'
        )
    dtype = np.dtype(np.uint8 if kind == np.uint8 else np.float32)
    if len(shape) == 3:
        return ImageLayout((shape[0], 1, *shape[1:]), dtype, channels_last=False), ()
    is_ours = name == NAMES[0][0]
    last, second = shape[3] in CHANNELS, shape[1] in CHANNELS
    if last and second and not is_ours:
        raise InputError(
            f"{shown(path)}: {name} {shape} may be [N, C, H, W] or [N, H, W, C]; save them as [N, C, H, W] under the "
            f"names {NAMES[0][0]} and {NAMES[0][1]}"
        )
    if last and not second and (not is_ours or shape[1] == shape[2]):
        turned = (shape[0], shape[3], *shape[1:3])
        note = f"{name} {shape} are taken as [N, H, W, C] and turned to {turned}"
        return ImageLayout(turned, dtype, channels_last=True), (note,)
    return ImageLayout(shape, dtype, channels_last=False), ()


def _labels(file: NpzFile, name: str) -> npt.NDArray[np.int64]:
    member = file.member(name)
    if member.nbytes > MOST_LABEL_BYTES:
        raise InputError(f"{shown(file.path)}: {name} have {member.nbytes:,} bytes; save one whole number per image")
    labels = file.read(member)
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "biuf":
        return _from_one_hot(file.path, name, labels)
    if labels.dtype.kind not in "iu" or not (labels.ndim == 1 or labels.shape[1:] == (1,)):
        raise InputError(
            f"{shown(file.path)}: {name} are {labels.dtype} {labels.shape}; save one whole number per image, for "
            f'example {name}.astype("int64")'
        )
    return labels.reshape(-1).astype(np.int64)


def _from_one_hot(path: Path, name: str, labels: Array) -> npt.NDArray[np.int64]:
    """The place of the only 1 of each row."""
    wrong = ((labels != 0) & (labels != 1)).any(axis=1) | ((labels == 1).sum(axis=1) != 1)
    if wrong.any():
        image = int(wrong.argmax())
        raise InputError(
            f"{shown(path)}: {name} {labels.shape} are not one-hot: that of image {image} has not exactly one 1 among "
            "zeros; save one whole number per image"
        )
    classes: npt.NDArray[np.int64] = labels.argmax(axis=1).astype(np.int64)
    return classes
