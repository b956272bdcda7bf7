"""Some images of a campaign as files: a list for another campaign, or the images with what the network answers."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.datasets import load_dataset
from engine.metrics.image_list import COLUMN
from engine.models import load_model

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from engine.config.campaign_config import CampaignConfig

ROWS = 256
"""images run at once"""


def write_image_list(path: Path, images: NDArray[np.int64], detected: NDArray[np.int64]) -> None:
    """Write a CSV that `[workload] select = "list"` reads.

    Args:
        path: of the file.
        images: [n] ids, in the order in which they are to run.
        detected: [n] critical faults that have been detected with each and those before it.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([COLUMN, "detected_so_far"])
        rows.writerows(zip(images.tolist(), detected.tolist(), strict=True))


def write_image_set(file: BinaryIO, images: NDArray[np.int64], config: CampaignConfig) -> None:
    """Write an .npz file, which is a data set by itself: `images` as stored, `labels`, `image_id`, `golden_logits`.

    Args:
        file: to write to.
        images: [n] ids.
        config: of the campaign, whose network and data set are loaded.

    Raises:
        InputError: a sentence from whatever is loaded.
    """
    dataset = load_dataset(config.dataset)
    model = load_model(config.model, dataset).model
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), ROWS):
            parts.append(model(torch.from_numpy(dataset.batch(images[start : start + ROWS]))).float())
    np.savez_compressed(
        file,
        images=dataset.images[images],
        labels=dataset.labels[images],
        image_id=images,
        golden_logits=torch.cat(parts).numpy(),
    )
