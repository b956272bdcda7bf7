"""The images that a campaign ran on, as they are shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from engine.datasets.images import StoredRows
from engine.datasets.pictures import Pictures, class_names_of, load_pictures
from engine.errors import InputError


def description(dataset: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"config": {"dataset": dataset}, **more}


def test_grey_images_are_shown_as_they_are() -> None:
    pictures = load_pictures(description({"name": "mnist", "mean": [0.5], "std": [0.5]}))
    mnist = load_dataset(DatasetConfig(name="mnist"))
    np.testing.assert_array_equal(pictures.picture(7)[:, :, 0], mnist.images[7, 0])
    assert pictures.picture(7).shape == (28, 28, 1)
    assert pictures.class_names == ()


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (np.array([0.0, 0.5, 1.0], np.float32), [0, 128, 255]),
        (np.array([-1.0, 0.0, 1.0], np.float32), [0, 128, 255]),
        (np.array([0.0, 0.2, 0.5], np.float32), [0, 51, 128]),
        (np.array([0, 9, 255], np.uint8), [0, 9, 255]),
    ],
)
def test_floats_become_bytes(images: np.ndarray, expected: list[int]) -> None:
    picture = Pictures(images.reshape(1, 1, 1, 3), ()).picture(0)
    assert picture.dtype == np.uint8
    assert picture.ravel().tolist() == expected


def test_colours_stay_and_other_channels_become_grey() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, 3, 4, 5)).astype(np.uint8)
    np.testing.assert_array_equal(Pictures(images, ()).picture(1), np.moveaxis(images[1], 0, 2))
    five = random.integers(0, 256, (1, 5, 4, 4)).astype(np.uint8)
    np.testing.assert_array_equal(Pictures(five, ()).picture(0)[:, :, 0], np.rint(five[0].mean(axis=0)))


def test_images_that_are_gone_are_a_sentence_and_nothing_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.datasets.load.download", lambda *_: pytest.fail("downloads"))
    with pytest.raises(InputError, match="does not hold the files of cifar10; put them there"):
        load_pictures(description({"name": "cifar10", "path": str(tmp_path)}))


def test_other_images_than_the_campaigns_are_refused() -> None:
    sha256 = load_dataset(DatasetConfig(name="mnist")).sha256
    assert len(load_pictures(description({"name": "mnist"}, identity={"images": sha256})).images) == 10_000
    with pytest.raises(InputError, match="mnist: not the images any more that this campaign ran on"):
        load_pictures(description({"name": "mnist"}, identity={"images": "0" * 64}))


def test_of_a_large_data_set_one_image_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.arange(9 * 3 * 4 * 5, dtype=np.float32).reshape(9, 3, 4, 5) / 540
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(9))
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    read: list[int] = []
    once = StoredRows._read

    def counted(self: StoredRows, buffer: Any, row: int) -> Any:
        read.append(row)
        return once(self, buffer, row)

    monkeypatch.setattr(StoredRows, "_read", counted)
    pictures = load_pictures(description({"name": "npz", "path": str(tmp_path / "set.npz")}, identity={"images": "0"}))
    np.testing.assert_array_equal(pictures.picture(7), np.rint(np.moveaxis(images[7], 0, 2) * 255).astype(np.uint8))
    assert read == [7]
    with pytest.raises(InputError, match="there is no image 9 any more, but 9 in all"):
        pictures.picture(9)


def test_class_names(tmp_path: Path) -> None:
    for name in ("dog", "cat"):
        (tmp_path / name).mkdir()
    assert class_names_of(description({"name": "folder", "path": str(tmp_path)})) == ("cat", "dog")
    assert class_names_of(description({"name": "cifar10", "path": "/data"}))[3] == "cat"
    assert class_names_of(description({"name": "fashion_mnist", "path": "/data"}))[9] == "ankle boot"
    assert class_names_of(description({"name": "mnist"})) == ()
