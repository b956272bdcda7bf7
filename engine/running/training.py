"""Training the networks of the experiments from a seed."""

from __future__ import annotations

import json
import math
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from engine.datasets.download import default_folder
from engine.errors import InputError
from engine.models import build_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from engine.datasets import Dataset

EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle schedule, on images turned, zoomed and shifted at random."""

    epochs: int
    batch_size: int
    learning_rate: float
    """the highest of the cycle"""
    weight_decay: float
    rotation: float
    """degrees, at most, either way"""
    zoom: float
    """share of the size, at most, larger or smaller, per axis"""
    shift: float
    """share of the size, at most, per axis and direction"""


RECIPES: Mapping[tuple[str, str], Recipe] = {
    ("lenet5", "mnist"): Recipe(
        epochs=4, batch_size=128, learning_rate=4e-3, weight_decay=0.05, rotation=8, zoom=0.1, shift=0.06
    )
}
"""By network and data set."""


@dataclass(frozen=True)
class TrainingProgress:
    """Sent after each batch."""

    epoch: int
    """the running one, from 1"""
    epochs: int
    step: int
    """batches done in the whole training"""
    steps: int
    loss: float
    """mean cross-entropy of this batch"""
    test_accuracy: float | None
    """after the last whole epoch, 0..1; None in the first"""


@dataclass(frozen=True)
class TrainingResult:
    """What was saved."""

    out: Path
    test_accuracy: float
    """after the final epoch, 0..1"""


def train(
    arch: str,
    dataset: str,
    out: Path,
    path: Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> TrainingResult:
    """Train a network from scratch and save the weights of its final epoch, whatever the test set says of others.

    The same seed gives the same weights on the same machine and torch version.

    Args:
        out: the .safetensors file; its metadata "training" is JSON: arch, dataset, recipe, seed, torch, test_accuracy.
        path: folder of the data set, downloaded there when it is not; None: the user's cache.
        epochs: instead of the recipe's.

    Raises:
        InputError: no recipe for that pair, no data, or `out` cannot be written.
    """
    recipe = _recipe(arch, dataset, epochs)
    _check_writable(out)
    config = DatasetConfig.model_validate({"name": dataset, "path": path or default_folder()})
    training, test = load_dataset(config, train=True), load_dataset(config)
    with _one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(arch, training.images.shape[1], int(training.labels.max()) + 1)
        test_accuracy = _fit(model, recipe, training, test, seed, on_progress)
    story = {
        "arch": arch,
        "dataset": dataset,
        "recipe": asdict(recipe),
        "seed": seed,
        "torch": torch.__version__,
        "test_accuracy": test_accuracy,
    }
    partial = out.with_name(out.name + ".tmp")
    try:
        # One metadata entry, because safetensors writes several in random order: the same training, the same bytes.
        save_file(model.state_dict(), partial, {"training": json.dumps(story)})
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return TrainingResult(out, test_accuracy)


def accuracy(model: nn.Module, dataset: Dataset) -> float:
    """Share of the images whose label is the network's top-1."""
    model.eval()
    correct = 0
    with torch.inference_mode():
        for start in range(0, len(dataset), EVALUATION_BATCH):
            index = slice(start, start + EVALUATION_BATCH)
            predicted = model(torch.from_numpy(dataset.batch(index))).argmax(1)
            correct += int((predicted.numpy() == dataset.labels[index]).sum())
    return correct / len(dataset)


def _recipe(arch: str, dataset: str, epochs: int | None) -> Recipe:
    recipe = RECIPES.get((arch, dataset))
    if recipe is None:
        known = ", ".join(" on ".join(pair) for pair in RECIPES)
        raise InputError(f"there is no training recipe for {arch} on {dataset}: use {known}")
    if epochs is None:
        return recipe
    if epochs < 1:
        raise InputError(f"epochs is {epochs}: train for 1 at least")
    return Recipe(**{**asdict(recipe), "epochs": epochs})


def _check_writable(out: Path) -> None:
    """Before the work, not after it."""
    if out.suffix != ".safetensors":
        raise InputError(f"{out}: weights are saved as safetensors; give the file that suffix")
    if out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise InputError(f"{out}: cannot be written; give a file in a folder that exists and is writable")


def _fit(
    model: nn.Module,
    recipe: Recipe,
    training: Dataset,
    test: Dataset,
    seed: int,
    on_progress: Callable[[TrainingProgress], None] | None,
) -> float:
    """Run the recipe; returns the accuracy on the test set after the final epoch."""
    random = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    steps = recipe.epochs * math.ceil(len(training) / recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)
    labels = torch.from_numpy(training.labels)
    step, test_accuracy = 0, None
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        order = torch.randperm(len(training), generator=random)
        for start in range(0, len(training), recipe.batch_size):
            index = order[start : start + recipe.batch_size]
            images = _augment(torch.from_numpy(training.batch(index.numpy())), recipe, random)
            loss = F.cross_entropy(model(images), labels[index])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            step += 1
            if on_progress is not None:
                on_progress(TrainingProgress(epoch, recipe.epochs, step, steps, loss.item(), test_accuracy))
        test_accuracy = accuracy(model, test)
    assert test_accuracy is not None
    return test_accuracy


def _augment(images: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Each image [N, C, H, W] turned, zoomed and shifted by its own random amounts."""

    def uniform(limit: float, *shape: int) -> Tensor:
        return (2 * torch.rand(len(images), *shape, generator=random) - 1) * limit

    angle = uniform(math.radians(recipe.rotation))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).view(-1, 2, 2)
    scale = 1 + uniform(recipe.zoom, 1, 2)
    shift = uniform(2 * recipe.shift, 2, 1)  # affine_grid's coordinates run from -1 to 1
    grid = F.affine_grid(torch.cat([turn * scale, shift], dim=2), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are then taken in one order, whatever the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
