"""A campaign of a second, and one that outlasts every test: the bundled LeNet-5 and MNIST images, in small blocks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from engine.models.weights import BUNDLED_WEIGHTS

if TYPE_CHECKING:
    from pathlib import Path

FAULTS, IMAGES = 60, 40

SMALL: dict[str, Any] = {
    "name": "small",
    "model": {"arch": "lenet5", "weights": str(BUNDLED_WEIGHTS)},
    "dataset": {"name": "npz", "path": "set.npz", "mean": [0.1307], "std": [0.3081]},
    "faults": {"count": FAULTS, "bits": [3, 22, 30]},
    "workload": {},
    "run": {"memory": "1MB", "method": "exact", "check": "1"},  # which promises the same whatever the memory
}

LONG_FAULTS, LONG_IMAGES = 5_000, 5_000
"""25 million pairs: in blocks as small as SMALL's memory makes them six minutes of `exact`, and half a minute on a
machine that is ten times as fast and as quick with a test; yet images are ranked in a second, and the first part, of 4
to 16 of them, is there in half of one. Who looks at it while it runs ends it."""


def write_images(path: Path, images: int = IMAGES) -> None:
    """The first MNIST test images, over and over again where there are not so many, as the user's own npz file."""
    mnist = load_dataset(DatasetConfig(name="mnist"))
    chosen = np.arange(images) % len(mnist.images)
    np.savez(path, images=mnist.images[chosen], labels=mnist.labels[chosen])


def write_long_config(folder: Path, faults: int = LONG_FAULTS, images: int = LONG_IMAGES) -> Path:
    """Write the config of a campaign that is still running whenever a test looks at it."""
    write_images(folder / "long.npz", images)
    return write_config(folder, "long.toml", dataset={"path": "long.npz"}, faults={"count": faults})


def write_config(folder: Path, file: str = "small.toml", **changes: Any) -> Path:
    """Write SMALL with some tables or keys changed, and its images beside it; a key changed to None is left out."""
    if not (folder / "set.npz").exists():
        write_images(folder / "set.npz")
    tables = {
        name: value | changes.get(name, {}) if isinstance(value, dict) else changes.get(name, value)
        for name, value in SMALL.items()
    }
    path = folder / file
    path.write_text(to_toml(tables), encoding="utf-8")
    return path


def to_toml(tables: dict[str, Any]) -> str:
    """Two levels of keys; JSON values are TOML values."""
    lines = [_line(key, value) for key, value in tables.items() if not isinstance(value, dict)]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(_line(key, value) for key, value in table.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
