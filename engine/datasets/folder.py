"""A folder of image files, one sub-folder per class (torchvision's ImageFolder convention)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.datasets.dataset import LabelledImages
from engine.datasets.image_file import EXTENSIONS, Header, read_header, read_pixels
from engine.datasets.images import KEPT_BYTES, positions
from engine.errors import InputError
from engine.paths import is_folder, shown
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from engine.datasets.images import Array

STEP_FILES = 100
"""between two words of how many are read"""

TEST_SPLITS = ("test", "testing", "val", "valid", "validation", "eval")
TRAINING_SPLITS = ("train", "training")
ARCHIVE_LEFTOVERS = "__MACOSX"


def read_folder(path: Path, on_step: OnStep = nobody_waits, most_kept: float = math.inf) -> LabelledImages:
    """Images uint8 [N, C, H, W] in path order, and labels int64 [N]: the place of their class folder by name.

    C is 1 when every file is greyscale, else 3. Headers are read at once; pixels too where they are few, else when a
    batch asks for them. Hidden files and folders, and __MACOSX, are left out, and said to be.

    Args:
        path: the folder.
        on_step: told how many files are read.
        most_kept: bytes of pixels that may stay in memory.

    Raises:
        InputError: no class folders, a class without images, a file that is no image or has another size.
    """
    classes = class_folders(path)
    if not classes:
        raise InputError(
            f"{shown(path)}: has no sub-folders; give [dataset] path a folder with one sub-folder of images per class"
        )
    _refuse_splits(path, classes)
    hidden = sorted(entry for entry in _entries(path) if _is_hidden(entry))
    files: list[Path] = []
    labels: list[int] = []
    for label, folder in enumerate(classes):
        found = sorted(file for file in _walk(folder, hidden, ()) if file.suffix.lower() in EXTENSIONS)
        if not found:
            raise InputError(f"{shown(folder)}: holds no images; remove the folder or put that class's images there")
        files += found
        labels += [label] * len(found)
    headers = _read_headers(files, on_step)
    images = FolderImages(tuple(files), tuple(headers))
    notes = _notes(path, hidden, files, headers)
    if images.nbytes > min(KEPT_BYTES, most_kept):
        return LabelledImages(images, np.array(labels, dtype=np.int64), notes)
    return LabelledImages(images.read_all(on_step), np.array(labels, dtype=np.int64), notes)


def class_folders(path: Path) -> list[Path]:
    """The folder of each class, in the order of the labels; hidden ones are none.

    Raises:
        InputError: the folder may not be read.
    """
    if not is_folder(path):
        return []
    return sorted(entry for entry in _entries(path) if not _is_hidden(entry) and is_folder(entry))


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Image files of one size, decoded when they are asked for."""

    files: tuple[Path, ...]
    headers: tuple[Header, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        channels = 1 if all(header.is_grey for header in self.headers) else 3
        return len(self.files), channels, self.headers[0].height, self.headers[0].width

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a pixel, uint8."""
        return np.dtype(np.uint8)

    @property
    def nbytes(self) -> int:
        """Bytes that all pixels take."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: slice | npt.ArrayLike) -> Array:
        """Decode the images of a slice or of int64 [n]: uint8 [n, C, H, W]; of one whole number: [C, H, W].

        Raises:
            InputError: a file that cannot be decoded.
            IndexError: an image that is not there.
        """
        places = positions(index, len(self))
        if places.ndim == 0:
            return self._read(int(places))
        images = np.empty((len(places), *self.shape[1:]), np.uint8)
        for row, place in enumerate(places.tolist()):
            images[row] = self._read(place)
        return images

    def read_all(self, on_step: OnStep) -> Array:
        """Every image at once, uint8 [N, C, H, W].

        Raises:
            InputError: a file that cannot be decoded.
        """
        images = np.empty(self.shape, np.uint8)
        for start in range(0, len(self), STEP_FILES):
            on_step(Step("reading the images", start, len(self)))
            images[start : start + STEP_FILES] = self[start : start + STEP_FILES]
        return images

    def _read(self, place: int) -> Array:
        return read_pixels(self.files[place], self.headers[place], self.shape[1])


def _read_headers(files: list[Path], on_step: OnStep) -> list[Header]:
    headers: list[Header] = []
    for number, file in enumerate(files):
        if number % STEP_FILES == 0:
            on_step(Step("looking at the image files", number, len(files)))
        header = read_header(file)
        first = headers[0] if headers else header
        if (header.width, header.height) != (first.width, first.height):
            raise InputError(
                f"{shown(file)}: is {header.width} x {header.height} pixels, but the images before it are "
                f"{first.width} x {first.height}; give all one size"
            )
        headers.append(header)
    return headers


def _notes(path: Path, hidden: list[Path], files: list[Path], headers: list[Header]) -> tuple[str, ...]:
    notes = []
    if hidden:
        what = "1 hidden file or folder is" if len(hidden) == 1 else f"{len(hidden):,} hidden files and folders are"
        notes.append(f"{what} left out, the first {shown(hidden[0].relative_to(path))}")
    moving = [file for file, header in zip(files, headers, strict=True) if header.frames > 1]
    if moving:
        what = "1 file has" if len(moving) == 1 else f"{len(moving):,} files have"
        notes.append(f"{what} several frames, of which the first is taken: {shown(moving[0].relative_to(path))}")
    return tuple(notes)


def _refuse_splits(path: Path, classes: list[Path]) -> None:
    """A folder of splits is not a folder of classes, though it looks like one.

    Raises:
        InputError: naming the split to give.
    """
    splits = {folder.name.lower(): folder for folder in classes if folder.name.lower() in TEST_SPLITS + TRAINING_SPLITS}
    with_classes = [name for name in (*TEST_SPLITS, *TRAINING_SPLITS) if name in splits and class_folders(splits[name])]
    if not with_classes:
        return
    is_both = any(name in splits for name in TRAINING_SPLITS) and any(name in splits for name in TEST_SPLITS)
    if is_both or len(splits) == len(classes):
        names = ", ".join(sorted(shown(folder.name) for folder in splits.values()))
        raise InputError(
            f"{shown(path)}: its sub-folders {names} are splits, not classes; "
            f"give [dataset] path {shown(splits[with_classes[0]])}"
        )


def _is_hidden(entry: Path) -> bool:
    return entry.name.startswith(".") or entry.name == ARCHIVE_LEFTOVERS


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"{shown(folder)}: cannot be read ({error.strerror}); fix its permissions") from None


def _walk(folder: Path, hidden: list[Path], above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """The files in a folder and below it, links followed; what is hidden is added to `hidden` instead.

    Args:
        folder: where to begin.
        hidden: gets what is left out.
        above: device and inode of the folders that lead here.
    """
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        raise InputError(f"{shown(folder)}: leads back to a folder that it lies in; remove the link")
    for entry in sorted(_entries(folder)):
        if _is_hidden(entry):
            hidden.append(entry)
        elif is_folder(entry):
            yield from _walk(entry, hidden, (*above, here))
        else:
            yield entry
