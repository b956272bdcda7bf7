"""What the classes of a data set are called."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from engine.datasets.folder import class_folders
from engine.errors import InputError
from engine.paths import shown

if TYPE_CHECKING:
    from engine.config.campaign_config import DatasetConfig

CLASS_NAMES = {
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "fashion_mnist": (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
}


def class_names(config: DatasetConfig) -> tuple[str, ...]:
    """The names in the order of the labels; none where classes are numbers, as the digits of mnist are.

    None either where the folder of the images may not be read any more.
    """
    if config.name == "folder" and config.path is not None:
        with suppress(InputError):
            return tuple(shown(folder.name) for folder in class_folders(config.path))
    return CLASS_NAMES.get(config.name, ())
