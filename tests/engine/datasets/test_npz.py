"""Images and labels from a numpy archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.config import DatasetConfig
from engine.datasets import load_dataset
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = np.arange(2 * 1 * 3 * 4, dtype=np.uint8).reshape(2, 1, 3, 4)


@pytest.mark.parametrize("images", [IMAGES, IMAGES[:, 0], IMAGES.astype(np.float64), IMAGES[:, 0].astype(np.float16)])
@pytest.mark.parametrize("labels", [np.array([1, 0]), np.array([1, 0], dtype=np.uint8)])
def test_both_shapes_and_any_float(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    dataset = load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))
    np.testing.assert_array_equal(dataset.images, IMAGES)
    assert dataset.images.dtype == (np.uint8 if images.dtype == np.uint8 else np.float32)
    assert (dataset.labels.dtype, dataset.labels.tolist()) == (np.int64, [1, 0])
    assert (dataset.mean, dataset.std) == ((), ())


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"images": IMAGES}, "has no array labels"),
        ({"x": IMAGES}, "has no array images or labels"),
        ({"images": IMAGES, "labels": [0, 1, 2]}, "2 images but 3 labels"),
        ({"images": IMAGES, "labels": [0, -4]}, "image 1 has label -4; labels count from 0"),
        ({"images": IMAGES, "labels": [0.0, 1.0]}, "labels are float64"),
        ({"images": IMAGES.astype(np.int32), "labels": [0, 1]}, "images are int32"),
        ({"images": IMAGES.ravel(), "labels": [0, 1]}, r"images are uint8 \(24,\)"),
        ({"images": IMAGES[:0], "labels": np.array([], dtype=np.int64)}, "there are no images"),
        ({"images": IMAGES, "labels": np.array([0, "x"], dtype=object)}, "not an .npz file of plain arrays"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], complaint: str) -> None:
    file = tmp_path / "set.npz"
    np.savez(file, **arrays)
    with pytest.raises(InputError, match=complaint) as error:
        load_dataset(DatasetConfig(name="npz", path=file))
    assert str(file) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"plain text", b"PK\x03\x04 cut short"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"set\.npz: not an \.npz file of plain arrays"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def test_a_bare_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", IMAGES)
    with pytest.raises(InputError, match=r"set\.npy: not an \.npz file of plain arrays"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npy"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.npz: there is no such file"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "nowhere.npz"))
