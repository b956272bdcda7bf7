"""MNIST's files: found in every layout, checked in every byte of their header."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = np.arange(3 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([7, 0, 9], dtype=np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes() + array.tobytes()


def write_split(folder: Path, split: str, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))


def test_the_bundled_test_set_is_the_official_one() -> None:
    dataset = load_dataset(DatasetConfig(name="mnist"))
    assert dataset.images.shape == (10_000, 1, 28, 28)
    assert dataset.images.dtype == np.uint8
    assert np.bincount(dataset.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert dataset.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert (dataset.mean, dataset.std) == ((0.1307,), (0.3081,))


@pytest.mark.parametrize(
    ("name", "place"),
    [("mnist", ""), ("mnist", "MNIST/raw"), ("fashion_mnist", ""), ("fashion_mnist", "FashionMNIST/raw")],
)
@pytest.mark.parametrize(("train", "split"), [(False, "t10k"), (True, "train")])
def test_files_lie_flat_or_as_torchvision_puts_them(
    tmp_path: Path, name: str, place: str, train: bool, split: str
) -> None:
    write_split(tmp_path / place, split)
    dataset = load_dataset(DatasetConfig.model_validate({"name": name, "path": tmp_path}), train=train)
    np.testing.assert_array_equal(dataset.images, IMAGES[:, None])
    assert dataset.labels.tolist() == [7, 0, 9]


def test_torchvisions_layout_tells_the_two_sets_apart(tmp_path: Path) -> None:
    write_split(tmp_path, "t10k", labels=np.array([1, 1, 1], dtype=np.uint8))
    write_split(tmp_path / "FashionMNIST/raw", "t10k", labels=np.array([2, 2, 2], dtype=np.uint8))
    assert load_dataset(DatasetConfig(name="mnist", path=tmp_path)).labels.tolist() == [1, 1, 1]
    assert load_dataset(DatasetConfig(name="fashion_mnist", path=tmp_path)).labels.tolist() == [2, 2, 2]


def test_the_real_training_set(shared_data: Path) -> None:
    dataset = load_dataset(DatasetConfig(name="mnist", path=shared_data / "mnist"), train=True)
    assert dataset.images.shape == (60_000, 1, 28, 28)
    assert round(float(np.asarray(dataset.images).mean() / 255), 4) == 0.1307


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an IDX file"),
        (bytes([0, 0, 13, 3]) + bytes(12), "not an IDX file"),
        (idx_bytes(LABELS), "not an IDX file"),
        (idx_bytes(IMAGES)[:-1], "announces 3 x 28 x 28 bytes, but 2351 follow"),
        (idx_bytes(IMAGES) + b"x", "but 2353 follow"),
    ],
    ids=["empty", "another type", "labels", "too short", "too long"],
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    write_split(tmp_path, "t10k")
    file = tmp_path / "t10k-images-idx3-ubyte"
    file.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as error:
        load_dataset(DatasetConfig(name="mnist", path=tmp_path))
    assert str(file) in str(error.value)


@pytest.mark.parametrize(
    "content", [b"\x1f\x8bno gzip", gzip.compress(idx_bytes(LABELS), mtime=0)[:-9]], ids=["no gzip", "cut short"]
)
def test_a_broken_gzip_is_named(tmp_path: Path, content: bytes) -> None:
    write_split(tmp_path, "t10k")
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte\.gz: cannot be read"):
        load_dataset(DatasetConfig(name="mnist", path=tmp_path))


def test_labels_above_nine_are_refused(tmp_path: Path) -> None:
    write_split(tmp_path, "t10k", labels=np.array([1, 10, 2], dtype=np.uint8))
    with pytest.raises(InputError, match="image 1 has label 10; labels are 0 to 9"):
        load_dataset(DatasetConfig(name="mnist", path=tmp_path))


def test_each_image_has_one_label(tmp_path: Path) -> None:
    write_split(tmp_path, "t10k", labels=LABELS[:2])
    with pytest.raises(InputError, match="3 images but 2 labels"):
        load_dataset(DatasetConfig(name="mnist", path=tmp_path))


def test_a_header_that_announces_gigabytes_is_refused(tmp_path: Path) -> None:
    write_split(tmp_path, "t10k")
    header = bytes([0, 0, 8, 3]) + np.array([10**6, 10**4, 10**4], dtype=">u4").tobytes()
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(header + b"x")
    with pytest.raises(InputError, match="announces 1000000 x 10000 x 10000 bytes, and 2,000,000,000 are the most"):
        load_dataset(DatasetConfig(name="mnist", path=tmp_path))


def test_a_gzip_that_expands_without_end_is_read_as_far_as_its_header_says(tmp_path: Path) -> None:
    write_split(tmp_path, "t10k")
    bomb = gzip.compress(idx_bytes(LABELS) + bytes(10**7))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(InputError, match="announces 3 bytes, but more than 4 follow"):
        load_dataset(DatasetConfig(name="mnist", path=tmp_path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6
