"""A campaign of a second: the bundled LeNet-5 and a few MNIST images, in blocks of 4."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.config import DatasetConfig
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
    "run": {"memory": "1MB", "method": "exact"},  # which promises the same whatever the memory
}


def write_images(path: Path, images: int = IMAGES) -> None:
    """The first MNIST test images, as the user's own npz file."""
    mnist = load_dataset(DatasetConfig(name="mnist"))
    np.savez(path, images=mnist.images[:images], labels=mnist.labels[:images])


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
