"""A folder of image files reads as torchvision's ImageFolder reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from engine.config import DatasetConfig
from engine.datasets import Dataset, load_dataset
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = np.random.default_rng(0)


def write(file: Path, mode: str = "RGB", size: tuple[int, int] = (5, 4)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], len(mode))
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8), mode=mode).save(file)


def load(folder: Path) -> Dataset:
    return load_dataset(DatasetConfig(name="folder", path=folder))


def test_the_same_images_and_labels_as_torchvision(tmp_path: Path) -> None:
    for name, mode in {"dog/b.png": "RGB", "dog/a.PNG": "L", "cat/deep/c.png": "RGBA", "cat/d.bmp": "RGB"}.items():
        write(tmp_path / name, mode)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "readme.md").write_text("no class")
    reference = ImageFolder(str(tmp_path))
    dataset = load(tmp_path)
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert sorted(dataset.labels.tolist()) == sorted(reference.targets)
    expected = {np.asarray(image).tobytes() for image, _ in reference}
    assert {np.moveaxis(image, 0, 2).tobytes() for image in dataset.images} == expected


def test_greyscale_files_have_one_channel(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png", "L")
    write(tmp_path / "1" / "a.png", "L")
    assert load(tmp_path).images.shape == (2, 1, 4, 5)


def test_an_image_of_another_size_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    write(tmp_path / "0" / "b.png", size=(6, 4))
    with pytest.raises(InputError, match=r"b\.png: is 6 x 4 pixels, but the images before it are 5 x 4"):
        load(tmp_path)


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    (tmp_path / "0" / "b.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"b\.png: cannot be read as an image"):
        load(tmp_path)


def test_a_cut_image_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png", size=(64, 64))
    (tmp_path / "0" / "a.png").write_bytes((tmp_path / "0" / "a.png").read_bytes()[:1000])
    with pytest.raises(InputError, match=r"a\.png: cannot be read as an image"):
        load(tmp_path)


def test_deeper_pixels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16)).save(tmp_path / "0" / "a.png")
    with pytest.raises(InputError, match=r"a\.png: has more than 8 bits per channel"):
        load(tmp_path)


def test_a_class_without_images_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    (tmp_path / "1").mkdir()
    with pytest.raises(InputError, match="1: holds no images"):
        load(tmp_path)


def test_a_folder_without_classes_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=f"{folder}: has no sub-folders"):
            load(folder)
