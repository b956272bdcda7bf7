"""The config of every fault of ResNet-20 on 100 images: `python -m tests.benchmarks.exhaustive FOLDER DATA`.

DATA holds weights/resnet20-cifar10.th and cifar10/test_batch.bin. FOLDER gets the images, the first 10 of each class in
the order of the test set, as an npz file, and resnet20-exhaustive.toml, for `dear-tui run` or `dear-tui estimate`.
LeNet-5 needs no preparation: sample_configs/lenet5-exhaustive.toml. Both want an idle machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from tests.small_campaign import to_toml

CLASSES, OF_EACH = 10, 10


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    folder, data = (Path(argument).resolve() for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    write_images(folder / "first100.npz", data / "cifar10")
    path = folder / "resnet20-exhaustive.toml"
    path.write_text(to_toml(config(data)), encoding="utf-8")
    print(path)


def write_images(path: Path, cifar10: Path) -> None:
    """The first images of each class, in the order of the test set."""
    dataset = load_dataset(DatasetConfig(name="cifar10", path=cifar10))
    labels = dataset.labels
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == label)[:OF_EACH] for label in range(CLASSES)]))
    np.savez(path, images=dataset.images[chosen], labels=labels[chosen])


def config(data: Path) -> dict[str, object]:
    """Which faults are critical; of 0.1 % of them every pair is audited, where 1 % would take as long as all else."""
    return {
        "name": "resnet20-exhaustive",
        "model": {"arch": "resnet20", "weights": str(data / "weights" / "resnet20-cifar10.th")},
        "dataset": {
            "name": "npz",
            "path": "first100.npz",
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
        "faults": {"sampling": "exhaustive"},
        "run": {"method": "screened", "goal": "critical_faults", "audit_faults": 0.001},
    }


if __name__ == "__main__":
    main()
