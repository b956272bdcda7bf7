"""The images that a campaign ran on, to look at."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.config.campaign_config import DatasetConfig
from engine.datasets.folder import class_folders
from engine.datasets.load import open_dataset
from engine.errors import InputError
from engine.paths import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.datasets.images import Images

CLASS_NAMES = {
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "fashion_mnist": (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
}


@dataclass(frozen=True, eq=False)
class Pictures:
    """The images of one data set."""

    images: Images
    """[N, C, H, W] as the data set holds them"""
    class_names: tuple[str, ...]
    """empty where classes are numbers"""

    def picture(self, image_id: int) -> NDArray[np.uint8]:
        """One image as a screen shows it: [H, W, 1] grey or [H, W, 3] colour.

        Floats that leave 0..1 are stretched to it; other numbers of channels are averaged to grey.

        Raises:
            InputError: its file cannot be read any more, or there are fewer images by now.
        """
        if image_id >= len(self.images):
            raise InputError(f"there is no image {image_id} any more, but {len(self.images)} in all")
        image = np.moveaxis(self.images[image_id], 0, -1).astype(np.float64)
        if image.shape[2] not in (1, 3):
            image = image.mean(axis=2, keepdims=True)
        if self.images.dtype != np.uint8:
            low, high = min(image.min(), 0.0), max(image.max(), 1.0)
            image = (image - low) * (255 / (high - low))
        picture: NDArray[np.uint8] = np.rint(image).astype(np.uint8)
        return picture


def load_pictures(description: Mapping[str, Any]) -> Pictures:
    """Open the data set of a campaign; nothing is downloaded.

    A small one is read and compared with what the campaign ran on. Of a large one only the images that are shown are
    read, so that it is not compared: that would read all of it.

    Args:
        description: the content of its campaign.json.

    Raises:
        InputError: its files are gone, cannot be read, or are not those that the campaign ran on.
    """
    config = DatasetConfig.model_validate(description["config"]["dataset"])
    dataset = open_dataset(config, fetch=False)
    if (
        isinstance(dataset.images, np.ndarray)
        and description.get("identity", {}).get("images", dataset.sha256) != dataset.sha256
    ):
        raise InputError(f"{config.path or config.name}: not the images any more that this campaign ran on")
    return Pictures(dataset.images, class_names(config))


def class_names_of(description: Mapping[str, Any]) -> tuple[str, ...]:
    """What the classes of a campaign are called; empty where they are numbers."""
    return class_names(DatasetConfig.model_validate(description["config"]["dataset"]))


def class_names(config: DatasetConfig) -> tuple[str, ...]:
    """What the classes of a data set are called, in the order of the labels.

    None where classes are numbers, as the digits of mnist are, and where the images' folder cannot be read any more.
    """
    if config.name == "folder" and config.path is not None:
        with suppress(InputError):
            return tuple(shown(folder.name) for folder in class_folders(config.path))
    return CLASS_NAMES.get(config.name, ())
