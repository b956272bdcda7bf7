"""A config of a network for which no trained weights are at hand, to time the methods with.

python -m tests.benchmarks.seeded_config ARCH CIFAR10_FOLDER OUTPUT_FOLDER

Seeded random weights; batch-norm statistics of 256 real images, so that activations have sizes and zeros as in use.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from tests.engine.injection.networks import seeded


def main(arch: str, cifar10: Path, folder: Path) -> None:
    dataset = load_dataset(DatasetConfig(name="cifar10", path=cifar10))
    weights = folder / f"{arch}-seeded.safetensors"
    save_seeded(arch, weights, torch.from_numpy(dataset.batch(np.arange(256))))
    (folder / f"{arch}-seeded.toml").write_text(
        f'name = "{arch}-seeded"\n\n[model]\narch = "{arch}"\nweights = "{weights}"\n\n'
        f'[dataset]\nname = "cifar10"\npath = "{cifar10}"\n'
    )


def save_seeded(arch: str, weights: Path, images: torch.Tensor) -> None:
    """Seeded weights with batch-norm statistics of some images [n, C, H, W]."""
    model = seeded(arch, images)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, weights)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve())
