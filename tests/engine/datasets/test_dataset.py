"""A data set's batches and its identity."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from torchvision.transforms import Compose, Normalize, ToTensor

from engine.config.campaign_config import DatasetConfig
from engine.datasets import Dataset, load_dataset

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 6), dtype=np.uint8)
DATASET = Dataset("npz", IMAGES, np.arange(5), mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616))


def test_a_batch_is_torchvisions_scaled_and_normalised_tensor() -> None:
    steps = Compose([ToTensor(), Normalize(DATASET.mean, DATASET.std)])
    expected = np.stack([steps(np.moveaxis(image, 0, 2)).numpy() for image in IMAGES])
    np.testing.assert_array_equal(DATASET.batch(slice(None)), expected)
    np.testing.assert_array_equal(DATASET.batch([4, 0, 0]), expected[[4, 0, 0]])


def test_floats_are_taken_as_they_are() -> None:
    images = np.linspace(-3, 300, 4, dtype=np.float32).reshape(1, 1, 2, 2)
    dataset = Dataset("npz", images, np.array([0]))
    np.testing.assert_array_equal(dataset.batch([0]), images)
    np.testing.assert_array_equal(replace(dataset, mean=(1.0,), std=(2.0,)).batch([0]), (images - 1) / 2)


def test_a_batch_is_a_copy() -> None:
    images = np.ones((2, 1, 2, 2), dtype=np.float32)
    dataset = Dataset("npz", images, np.arange(2))
    dataset.batch(slice(0, 1))[:] = 7
    assert images.max() == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(DATASET, images=IMAGES[::-1]),
        replace(DATASET, images=IMAGES.reshape(5, 3, 6, 4)),
        replace(DATASET, images=IMAGES.astype(np.float32)),
        replace(DATASET, labels=np.arange(5)[::-1]),
        replace(DATASET, mean=(0.0, 0.0, 0.0)),
        replace(DATASET, std=(1.0, 1.0, 1.0)),
    ],
)
def test_sha256_tells_what_results_depend_on(other: Dataset) -> None:
    assert other.sha256 != DATASET.sha256


def test_sha256_ignores_the_name() -> None:
    assert replace(DATASET, name="folder", images=IMAGES.copy()).sha256 == DATASET.sha256


@pytest.mark.parametrize("images", [IMAGES, IMAGES[::-1], IMAGES.astype(np.float32), np.asfortranarray(IMAGES)])
def test_sha256_is_that_of_all_bytes_at_once(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Campaigns of earlier versions are found by it."""
    monkeypatch.setattr("engine.datasets.images.BLOCK_BYTES", 100)
    dataset = replace(DATASET, images=images)
    digest = hashlib.sha256(repr((images.dtype.str, images.shape, dataset.mean, dataset.std)).encode())
    digest.update(images.tobytes())
    digest.update(dataset.labels.tobytes())
    assert dataset.sha256 == digest.hexdigest()


def test_the_bundled_images_have_the_sha256_of_earlier_versions() -> None:
    assert load_dataset(DatasetConfig(name="mnist")).sha256.startswith("7c57e23cb58617f5")


def test_a_batch_is_in_c_order() -> None:
    dataset = replace(DATASET, images=np.asfortranarray(IMAGES))
    assert dataset.batch(slice(None)).flags.c_contiguous
    assert dataset.batch([1, 3]).flags.c_contiguous


@pytest.mark.parametrize(("block_bytes", "expected"), [(1, [1] * 5), (144, [2, 2, 1]), (10**9, [5])])
def test_blocks_are_as_large_as_allowed(monkeypatch: pytest.MonkeyPatch, block_bytes: int, expected: list[int]) -> None:
    monkeypatch.setattr("engine.datasets.images.BLOCK_BYTES", block_bytes)
    assert [len(IMAGES[block]) for block in DATASET.blocks()] == expected
