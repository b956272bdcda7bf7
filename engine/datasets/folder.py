"""A folder of image files, one sub-folder per class (torchvision's ImageFolder convention)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.datasets.dataset import Array

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})


def read_folder(path: Path) -> tuple[Array, Array]:
    """Images uint8 [N, C, H, W] in path order, and labels int64 [N]: the place of their class folder by name.

    C is 1 when every file is greyscale, else 3.

    Raises:
        InputError: no class folders, a class without images, a file that is no image or has another size.
    """
    classes = class_folders(path)
    if not classes:
        raise InputError(
            f"{path}: has no sub-folders; give [dataset] path a folder with one sub-folder of images per class"
        )
    images: list[Array] = []
    labels: list[int] = []
    for label, folder in enumerate(classes):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in EXTENSIONS)
        if not files:
            raise InputError(f"{folder}: holds no images; remove the folder or put the images of that class there")
        for file in files:
            image = _read_image(file)
            if images and image.shape[1:] != images[0].shape[1:]:
                here, first = (f"{array.shape[2]} x {array.shape[1]}" for array in (image, images[0]))
                raise InputError(f"{file}: is {here} pixels, but the images before it are {first}; give all one size")
            images.append(image)
            labels.append(label)
    channels = max(image.shape[0] for image in images)
    stacked = np.stack([np.broadcast_to(image, (channels, *image.shape[1:])) for image in images])
    return stacked, np.array(labels, dtype=np.int64)


def class_folders(path: Path) -> list[Path]:
    """The folder of each class, in the order of the labels."""
    return sorted(entry for entry in path.iterdir() if entry.is_dir()) if path.is_dir() else []


def _read_image(file: Path) -> Array:
    """uint8 [1, H, W] for greyscale files, else [3, H, W]."""
    from PIL import Image, UnidentifiedImageError  # only this kind of data set needs it

    try:
        with Image.open(file) as image:
            if image.mode[0] in "IF":
                raise InputError(f"{file}: has more than 8 bits per channel; save it as an 8-bit image")
            pixels = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError(f"{file}: cannot be read as an image ({error}); mend or remove it") from None
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
