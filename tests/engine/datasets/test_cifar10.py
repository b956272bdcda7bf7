"""CIFAR-10: both versions give the same images, and a batch file cannot run code."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.config.campaign_config import DatasetConfig
from engine.datasets import Dataset, load_dataset
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
LABELS = [3, 8, 8, 0]


def write_binary(file: Path, labels: list[int] = LABELS) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(np.hstack([np.array(labels, dtype=np.uint8)[:, None], PIXELS]).tobytes())


def write_python(file: Path, **changes: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    batch = {"batch_label": "testing batch 1 of 1", "labels": LABELS, "data": PIXELS, "filenames": ["a.png"] * 4}
    file.write_bytes(pickle.dumps(batch | changes, protocol=2))


def load(folder: Path, train: bool = False) -> Dataset:
    return load_dataset(DatasetConfig(name="cifar10", path=folder), train=train)


@pytest.mark.parametrize("place", ["test_batch.bin", "cifar-10-batches-bin/test_batch.bin"])
def test_the_binary_version(tmp_path: Path, place: str) -> None:
    write_binary(tmp_path / place)
    dataset = load(tmp_path)
    np.testing.assert_array_equal(dataset.images, PIXELS.reshape(4, 3, 32, 32))
    assert dataset.labels.tolist() == LABELS
    assert len(dataset.mean) == len(dataset.std) == 3


@pytest.mark.parametrize("place", ["test_batch", "cifar-10-batches-py/test_batch"])
def test_the_python_version(tmp_path: Path, place: str) -> None:
    write_python(tmp_path / place)
    dataset = load(tmp_path)
    np.testing.assert_array_equal(dataset.images, PIXELS.reshape(4, 3, 32, 32))
    assert dataset.labels.tolist() == LABELS


def test_a_python_2_batch(tmp_path: Path) -> None:
    """The published files are Python 2 pickles: byte strings, and numpy's old module names."""
    content = b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    content += b"(K\x01K\x04M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
    content += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    content += b"T" + PIXELS.nbytes.to_bytes(4, "little") + PIXELS.tobytes() + b"tb"
    content += b"U\x06labels](K\x03K\x08K\x08K\x00eu."
    (tmp_path / "test_batch").write_bytes(content)
    np.testing.assert_array_equal(load(tmp_path).images, PIXELS.reshape(4, 3, 32, 32))


def test_the_training_split_is_five_batches_in_order(tmp_path: Path) -> None:
    for number in range(1, 6):
        write_binary(tmp_path / f"data_batch_{number}.bin", labels=[number] * 4)
    assert load(tmp_path, train=True).labels.tolist() == sorted([1, 2, 3, 4, 5] * 4)


def test_the_real_test_batch(shared_data: Path) -> None:
    dataset = load(shared_data / "cifar10")
    assert np.bincount(dataset.labels).tolist() == [1000] * 10


class Hostile:
    """A pickle that makes a folder when it is loaded the usual way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_batch_file_runs_no_code(tmp_path: Path) -> None:
    write_python(tmp_path / "test_batch", labels=Hostile(tmp_path / "owned"))
    with pytest.raises(InputError, match="test_batch: not a CIFAR-10 batch of arrays, and nothing else is unpickled"):
        load(tmp_path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "changes",
    [{"labels": [1, 2]}, {"data": PIXELS[:, :-1]}, {"data": PIXELS.astype(np.float32)}, {"labels": [0.5] * 4}],
)
def test_a_python_batch_of_other_arrays_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    write_python(tmp_path / "test_batch", **changes)
    with pytest.raises(InputError, match="test_batch: not 3072 bytes and one whole label per image"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x" * 3072])
def test_a_binary_batch_of_another_size_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "test_batch.bin").write_bytes(content)
    with pytest.raises(InputError, match=r"test_batch\.bin: not a whole number of 3073-byte CIFAR-10 records"):
        load(tmp_path)


def test_labels_above_nine_are_refused(tmp_path: Path) -> None:
    write_binary(tmp_path / "test_batch.bin", labels=[0, 9, 10, 0])
    with pytest.raises(InputError, match=r"test_batch\.bin: image 2 has label 10; labels are 0 to 9"):
        load(tmp_path)


def test_negative_labels_are_refused(tmp_path: Path) -> None:
    write_python(tmp_path / "test_batch", labels=[0, -1, 9, 0])
    with pytest.raises(InputError, match="test_batch: image 1 has label -1"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["test_batch", "test_batch.bin"])
def test_a_file_that_is_no_batch_by_its_size_is_not_read(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(InputError, match=r"has 1,000,000,000,000 bytes, and a CIFAR-10 batch may have 200,000,000"):
        load(tmp_path)
