"""A data set by its config: found, read, checked, normalised."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.datasets.cifar10 import read_cifar10
from engine.datasets.dataset import Array, Dataset, LabelledImages
from engine.datasets.download import default_folder, download
from engine.datasets.folder import read_folder
from engine.datasets.idx import read_idx_pair
from engine.datasets.npz import read_npz
from engine.errors import InputError
from engine.paths import is_file, shown
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from engine.config.campaign_config import DatasetConfig

BUNDLED_MNIST = Path(__file__).parent / "mnist_t10k"

LARGEST_PLAIN = 2.0
"""Floats from 0 up to more than this are hardly in 0..1, as networks without normalisation take them."""

_KEPT_SHARE = 8
"""of the memory that images may stay in: one part in so many"""

IDX_FOLDERS = {"mnist": "MNIST/raw", "fashion_mnist": "FashionMNIST/raw"}
"""torchvision's layout"""

NORMALISATION = {
    "mnist": ((0.1307,), (0.3081,)),
    "fashion_mnist": ((0.2860,), (0.3530,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}
"""Mean and standard deviation per channel of each training set."""


def load_dataset(
    config: DatasetConfig,
    train: bool = False,
    fetch: bool = True,
    on_step: OnStep = nobody_waits,
    memory: int | None = None,
) -> Dataset:
    """The test split of a data set, or its training split, every pixel of it checked.

    mnist, fashion_mnist and cifar10 are downloaded into their folder when it does not hold them, unless `fetch` is off.

    Args:
        config: what to load.
        train: the training split.
        fetch: whether something may be downloaded.
        on_step: told how much is read.
        memory: bytes that the campaign may take, of which images of your own keep an eighth at most; None: no limit.

    Raises:
        InputError: files that are missing or not what they should be, labels or normalisation that do not fit, pixels
            that are no numbers.
    """
    dataset = open_dataset(config, train, fetch, on_step, verify=True, memory=memory)
    if dataset.images.dtype == np.uint8:
        return dataset
    return replace(dataset, notes=(*dataset.notes, *check_pixels(dataset, _where(config), on_step)))


def open_dataset(
    config: DatasetConfig,
    train: bool = False,
    fetch: bool = True,
    on_step: OnStep = nobody_waits,
    verify: bool = False,
    memory: int | None = None,
) -> Dataset:
    """Open a data set without going through images that are read on demand, unless to `verify` a checksum.

    Raises:
        InputError: files that are missing or not what they should be, labels or normalisation that do not fit.
    """
    if config.name in ("npz", "folder"):
        if config.path is None or train:
            raise InputError(f"{config.name}: has no training split; train on {', '.join(NORMALISATION)}")
        most = math.inf if memory is None else memory // _KEPT_SHARE
        is_npz = config.name == "npz"
        read = read_npz(config.path, on_step, verify, most) if is_npz else read_folder(config.path, on_step, most)
    else:
        read = LabelledImages(*_read_known(config.name, config.path, train, fetch))
    where = _where(config)
    _check(where, read)
    channels = read.images.shape[1]
    mean, std = NORMALISATION.get(config.name, ((), ())) if config.mean is None else (config.mean, config.std or ())
    if len(mean) != len(std) or len(mean) not in (0, channels):
        raise InputError(
            f"{where}: mean has length {len(mean)} and std {len(std)}, but images have {channels} channels; "
            "give [dataset] mean and std one value per channel"
        )
    if not _keeps_numbers(mean, std):
        raise InputError(f"{where}: mean {mean} and std {std} make every pixel infinite in float32; fix them")
    notes = [*read.notes]
    if read.labels.min() > 0:
        notes.append(f"no image has label 0: labels count from 0, and the lowest here is {read.labels.min()}")
    return Dataset(config.name, read.images, read.labels, mean, std, tuple(f"{where}: {note}" for note in notes))


def _keeps_numbers(mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    """Whether pixels of 0 and 1 stay finite in float32, as which they are normalised."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        shift, scale = np.array(mean, dtype=np.float32), np.array(std, dtype=np.float32)
        return bool(np.isfinite([(0 - shift) / scale, (1 - shift) / scale]).all())


def _where(config: DatasetConfig) -> str:
    return f"{config.name} ({shown(config.path)})" if config.path else config.name


def _read_known(name: str, path: Path | None, train: bool, fetch: bool) -> tuple[Array, Array]:
    """Images and labels of a data set that torchvision could fetch."""
    if path is None and name == "mnist" and not train:
        path = BUNDLED_MNIST
    folder = path or default_folder()
    if is_file(folder):
        raise InputError(f"{folder}: is a file; give [dataset] path the folder of the {name} files")
    found = _read_files(name, folder, train)
    if found is None and not fetch:
        raise InputError(f"{folder}: does not hold the files of {name}; put them there")
    if found is None:
        download(name, folder, train)
        found = _read_files(name, folder, train)
    if found is None:
        raise InputError(
            f"{folder}: {name} was downloaded there but cannot be found; give [dataset] path another folder"
        )
    return found


def _read_files(name: str, folder: Path, train: bool) -> tuple[Array, Array] | None:
    """None where the folder does not hold the files."""
    if name == "cifar10":
        return read_cifar10(folder, train)
    return read_idx_pair([folder / IDX_FOLDERS[name], folder], "train" if train else "t10k")


def _check(where: str, read: LabelledImages) -> None:
    images, labels = read.images, read.labels
    if len(images) != len(labels):
        raise InputError(f"{where}: {len(images)} images but {len(labels)} labels; give each image one label")
    if len(labels) == 0:
        raise InputError(f"{where}: there are no images; give [dataset] path a data set with some")
    if 0 in images.shape:
        raise InputError(f"{where}: the images have the shape {images.shape[1:]}, without pixels; give others")
    if labels.min() < 0:
        image = int(np.argmin(labels))
        raise InputError(f"{where}: image {image} has label {labels[image]}; labels count from 0")


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
            raise InputError(f"{where}: image {block.start + place} has {_fault(stored)}; fix or remove it")
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
