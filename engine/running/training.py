"""Training the networks of the experiments from a seed."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import save_file

from engine.config.campaign_config import DatasetConfig, check_device
from engine.datasets import load_dataset
from engine.datasets.download import default_folder
from engine.errors import InputError, UnreachableError
from engine.injection.memory import is_out_of_memory
from engine.injection.numerics import choose_numerics
from engine.models import build_model
from engine.paths import is_folder
from engine.running.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor, nn

    from engine.datasets import Dataset
    from engine.injection.numerics import Numerics
    from engine.running.recipes import Recipe

EVALUATION_BATCH = 1000

Precision = Literal["float32", "bfloat16", "float16"]


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
    """mean cross-entropy of this batch, with the recipe's label smoothing"""
    test_accuracy: float | None
    """after the last whole epoch, 0..1; None in the first"""


@dataclass(frozen=True)
class TrainingResult:
    """What a training has saved, and how accurate it is."""

    out: Path
    test_accuracy: float
    """after the final epoch, 0..1"""
    device: str
    """such as "cpu" or "cuda:0" """
    precision: Precision
    """of the products in training"""


def train(
    arch: str,
    dataset: str,
    out: Path,
    path: Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    device: str = "auto",
) -> TrainingResult:
    """Train a network from scratch and save the weights of its final epoch, whatever the test set says of others.

    On CUDA it trains with mixed precision; the test set is run, and the weights are kept, in float32 everywhere. On the
    CPU the same seed gives the same weights on the same machine and torch version.

    Args:
        out: the .safetensors file; its metadata "training" is JSON: arch, dataset, recipe, seed, torch, device,
            device_name, precision, test_accuracy.
        path: folder of the data set, downloaded there when it is not; None: the user's cache.
        epochs: instead of the recipe's.
        device: as `[run] device`: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:N".

    Raises:
        InputError: no recipe for that pair, no such name of a device, no data, or `out` cannot be written.
        NoDeviceError: the device is not there.
        UnreachableError: it has too little memory free, or there is no room for the weights.
    """
    recipe = _recipe(arch, dataset, epochs)
    _check_seed(seed)
    _check_writable(out)
    numerics = _numerics(device)
    place = torch.device(numerics.device)
    precision = training_precision(place)
    config = DatasetConfig.model_validate({"name": dataset, "path": path or default_folder()})
    training, test = load_dataset(config, train=True), load_dataset(config)
    random_of = [place] if place.type == "cuda" else []
    with _one_thread(), torch.random.fork_rng(devices=random_of), _explained_memory(arch, numerics.device):
        torch.manual_seed(seed)
        # made on the CPU, so that the seed means the same first weights everywhere
        model = build_model(arch, training.images.shape[1], int(training.labels.max()) + 1).to(place)
        images = ImagesOnDevice(training, place), ImagesOnDevice(test, place)
        test_accuracy = _fit(model, recipe, *images, precision, seed, on_progress)
    story = {
        "arch": arch,
        "dataset": dataset,
        "recipe": asdict(recipe),
        "seed": seed,
        "torch": numerics.torch,
        "device": numerics.device,
        "device_name": numerics.device_name,
        "precision": precision,
        "test_accuracy": test_accuracy,
    }
    weights = {name: tensor.to("cpu").contiguous() for name, tensor in model.state_dict().items()}
    partial = _partial(out)
    try:
        # One metadata entry, because safetensors writes several in random order: the same training, the same bytes.
        save_file(weights, partial, {"training": json.dumps(story)})
        partial.replace(out)
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreachableError(f"{out}: cannot be written ({reason}); free some space, and train again") from None
    finally:
        partial.unlink(missing_ok=True)
    return TrainingResult(out, test_accuracy, numerics.device, precision)


def training_precision(device: torch.device) -> Precision:
    """What products are rounded to in training: float32 on the CPU, the 16 bits that the device computes on CUDA."""
    if device.type == "cpu":
        return "float32"
    with torch.cuda.device(device):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


class ImagesOnDevice:
    """A data set that is kept on the device as it is stored, and made the network's input batch by batch."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.device = device
        self.labels = torch.tensor(dataset.labels, device=device)
        """int64 [N]"""
        self._stored = torch.tensor(dataset.images[:], device=device)  # a copy: files that are mapped cannot be written
        self._mean, self._std = (
            torch.tensor(values, dtype=torch.float32, device=device).view(-1, 1, 1)
            for values in (dataset.mean, dataset.std)
        )

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: slice | Tensor) -> Tensor:
        """The input that `Dataset.batch` gives, to the bit on the CPU: float32 [n, C, H, W]."""
        chosen = self._stored[index]
        batch = chosen.to(torch.float32)
        if chosen.dtype == torch.uint8:
            batch = batch / 255
        return (batch - self._mean) / self._std if len(self._mean) else batch


def accuracy(model: nn.Module, dataset: Dataset) -> float:
    """Share of the images whose label is the network's top-1; they are read some at a time."""
    device = next(model.parameters()).device
    labels = torch.tensor(dataset.labels, device=device)
    return _accuracy(model, lambda index: torch.from_numpy(dataset.batch(index)).to(device), labels)


def _accuracy(model: nn.Module, batch: Callable[[slice], Tensor], labels: Tensor) -> float:
    model.eval()
    correct = torch.zeros((), dtype=torch.int64, device=labels.device)
    with torch.inference_mode():
        for start in range(0, len(labels), EVALUATION_BATCH):
            index = slice(start, start + EVALUATION_BATCH)
            correct += (model(batch(index)).argmax(1) == labels[index]).sum()
    return int(correct) / len(labels)


def _recipe(arch: str, dataset: str, epochs: int | None) -> Recipe:
    recipe = RECIPES.get((arch, dataset))
    if recipe is None:
        known = ", ".join(" on ".join(pair) for pair in RECIPES)
        raise InputError(f"there is no training recipe for {arch} on {dataset}: use {known}")
    if epochs is None:
        return recipe
    if epochs < 1:
        raise InputError(f"epochs is {epochs}: train for 1 at least")
    return replace(recipe, epochs=epochs)


def _numerics(device: str) -> Numerics:
    """TF32 is off: it would round what mixed precision leaves in float32, and the test set."""
    try:
        return choose_numerics(check_device(device), tf32=False, field="device")
    except ValueError as error:
        raise InputError(f"device: {error}") from None


def _check_writable(out: Path) -> None:
    """Before the work, not after it."""
    if out.suffix != ".safetensors":
        raise InputError(f"{out}: weights are saved as safetensors; give the file that suffix")
    partial = _partial(out)
    try:
        partial.touch()
        partial.unlink()
        is_writable = not is_folder(out)
    except OSError:
        is_writable = False
    if not is_writable:
        raise InputError(f"{out}: cannot be written; give a file in a folder that exists and is writable")


def _partial(out: Path) -> Path:
    """The name it is written under until it is whole."""
    return out.with_name(f"{out.name}.tmp")


def _check_seed(seed: int) -> None:
    """Before the work, too: torch takes no other."""
    if not -(2**63) <= seed < 2**64:
        raise InputError(f"seed is {seed}: use a whole number from 0 to {2**64 - 1}")


def _fit(
    model: nn.Module,
    recipe: Recipe,
    training: ImagesOnDevice,
    test: ImagesOnDevice,
    precision: Precision,
    seed: int,
    on_progress: Callable[[TrainingProgress], None] | None,
) -> float:
    """Run the recipe; returns the accuracy on the test set after the final epoch."""
    device, is_mixed = training.device, precision != "float32"
    if is_mixed:
        model.to(memory_format=torch.channels_last)
    random = torch.Generator(device).manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    steps = recipe.epochs * math.ceil(len(training) / recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    step, test_accuracy = 0, None
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        order = torch.randperm(len(training), generator=random, device=device)
        for start in range(0, len(training), recipe.batch_size):
            index = order[start : start + recipe.batch_size]
            images = recipe.augment(training.batch(index), random)
            with torch.autocast(device.type, getattr(torch, precision), enabled=is_mixed):
                logits = model(images)
                loss = F.cross_entropy(logits, training.labels[index], label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            torch.autograd.backward(scaler.scale(loss))
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            step += 1
            if on_progress is not None:
                on_progress(TrainingProgress(epoch, recipe.epochs, step, steps, loss.item(), test_accuracy))
        test_accuracy = _accuracy(model, test.batch, test.labels)
    assert test_accuracy is not None
    return test_accuracy


@contextmanager
def _explained_memory(arch: str, device: str) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UnreachableError(
            f"device: {device} has too little memory free to train {arch}; free some, or use another device"
        ) from None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are then taken in one order, whatever the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
