"""A list of images from a CSV, such as `dear-tui compact` writes."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.paths import shown

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

COLUMN = "image_id"


def read_image_list(path: Path, images: int) -> npt.NDArray[np.int64]:
    """The n ids in the column `image_id`, [n] in the order of the file.

    Args:
        path: of a CSV with a heading; other columns are ignored.
        images: of the data set.

    Raises:
        InputError: it cannot be read, or a row has no image of the data set, or one that was there before.
    """
    where = f"[workload] list: {shown(path)}"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if COLUMN not in (rows.fieldnames or ()):
                raise InputError(f"{where} has no column {COLUMN}; give it that heading")
            texts = [row[COLUMN] or "" for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
        raise InputError(f"{where} cannot be read ({reason}); give another file") from None
    found: dict[int, int] = {}
    for row, text in enumerate(texts, start=1):
        image = int(text) if text.strip().isascii() and text.strip().isdigit() else -1
        if not 0 <= image < images:
            raise InputError(f"{where} row {row}: {text!r} is none of the images 0 to {images - 1}; fix it")
        if image in found:
            raise InputError(f"{where} row {row}: image {image} is there already, in row {found[image]}; remove one")
        found[image] = row
    return np.array(list(found), np.int64)
