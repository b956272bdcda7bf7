"""Trained networks: built, given the weights of a file, and checked against the images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.errors import InputError
from engine.models.build import build_model
from engine.models.checkpoint import NetworkWeights, choose_weights, read_state_dicts
from engine.models.computed import check_faults_last, fold_computed_weights
from engine.models.factory import call_factory
from engine.models.fill import check_finite, fill
from engine.models.logits import count_classes, materialise
from engine.models.plain import LAYERS
from engine.models.torchvision_cnn import as_published

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.config.campaign_config import ModelConfig
    from engine.datasets import Dataset
    from engine.models.checkpoint import StateDict

BUNDLED_WEIGHTS = Path(__file__).parent / "weights" / "lenet5_mnist.safetensors"
"""LeNet-5 on MNIST, trained by `engine.running.training`; how is in the file's metadata."""


@dataclass(frozen=True)
class LoadedModel:
    """A trained network, ready to run."""

    model: nn.Module
    """in eval mode, float32, on the CPU; weights that it computed from others are plain ones"""
    weights_sha256: str
    """of names, shapes and values as the network runs with them, computed weights by what they give: the same for the
    same weights in another file format"""
    code: str | None = None
    """what tells one version of the network's code from another; None for the networks of this package"""
    notes: tuple[str, ...] = ()
    """what was done to the network or left out of the file, a sentence each, for the user"""


def load_model(config: ModelConfig, dataset: Dataset) -> LoadedModel:
    """The network of the config with its weights, checked against the weights file and the images.

    The images give the number of channels, and the shapes of lazy modules; the weights file gives the number of
    classes; a factory's network has its own. Weights that are computed from others are folded into plain ones.

    Raises:
        InputError: weights of another network or that are no finite numbers, a network whose weights cannot be changed
            one by one, images it does not take, an output that is not [batch, classes], or labels it has no class for.
    """
    path, image = config.weights or BUNDLED_WEIGHTS, dataset.images.shape[1:]
    build = _build_by_factory if config.is_factory else _build_by_name
    built = build(config, path, read_state_dicts(path), dataset)
    model = built.model.eval()
    rounded = fill(path, built.weights.tensors, model, _described(config, image[0]))
    folded = fold_computed_weights(config.arch, model)
    model.requires_grad_(False)
    check_finite(path, model)
    classes = count_classes(config.arch, model, dataset)
    if dataset.labels.max(initial=0) >= classes:
        worst = int(dataset.labels.argmax())
        raise InputError(
            f"{dataset.name}: image {worst} has label {dataset.labels[worst]}, but the network of {path} has {classes} "
            f"classes (0 to {classes - 1}); fix the labels or give other weights"
        )
    check_faults_last(config.arch, model, torch.zeros(2, *image))
    notes = (*built.weights.notes, *rounded, *built.notes, *folded, *_shared_weights(model))
    return LoadedModel(model, _sha256(model.state_dict()), built.code, notes)


@dataclass(frozen=True)
class _Built:
    """A network that has not got its weights yet."""

    model: nn.Module
    weights: NetworkWeights
    code: str | None = None
    """as `LoadedModel.code`"""
    notes: tuple[str, ...] = ()


def _build_by_factory(config: ModelConfig, path: Path, state_dicts: Sequence[StateDict], dataset: Dataset) -> _Built:
    made = call_factory(config.arch, config.path)
    materialise(config.arch, made.model, dataset)
    return _Built(made.model, choose_weights(path, state_dicts, made.model.state_dict()), made.source_sha256)


def _build_by_name(config: ModelConfig, path: Path, state_dicts: Sequence[StateDict], dataset: Dataset) -> _Built:
    def build(classes: int) -> nn.Module:
        return build_model(config.arch, dataset.images.shape[1], classes, config.width)

    sketch = build(1)
    weights = choose_weights(path, state_dicts, sketch.state_dict())
    model = build(_classes(weights.tensors, sketch))
    if not config.arch.startswith("torchvision:"):
        return _Built(model, weights)
    tensors, notes = as_published(config.arch, model, weights.tensors, dataset.mean)
    return _Built(model, NetworkWeights(tensors, weights.notes), version("torchvision"), notes)


def _classes(weights: Mapping[str, Tensor], sketch: nn.Module) -> int:
    """Rows of the classifier's weights in the file; 10 where the file has no such layer and is refused anyway.

    The classifier is the layer that has one row for one class, of which `sketch` is the network; in some networks of
    torchvision it is a convolution.
    """
    name, classifier = next(item for item in sketch.named_parameters() if len(item[1]) == 1)
    return weights[name].shape[0] if name in weights and weights[name].ndim == classifier.ndim else 10


def _described(config: ModelConfig, channels: int) -> str:
    if config.is_factory:
        return config.arch
    width = f" of width {config.width:g}" if config.arch == "mobilenetv2" else ""
    return f"{config.arch}{width} on {channels}-channel images"


def _shared_weights(model: nn.Module) -> tuple[str, ...]:
    """A sentence for each layer whose weight is that of a layer before it."""
    owners: dict[int, str] = {}
    notes = []
    for name, module in model.named_modules():
        if isinstance(module, LAYERS) and (owner := owners.setdefault(id(module.weight), name)) != name:
            notes.append(
                f"{name} has the weight of {owner}: it is counted once, as {owner}'s, and a fault in it shows in both"
            )
    return tuple(notes)


def _sha256(weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in weights.items():
        if isinstance(tensor, Tensor) and not name.endswith("num_batches_tracked"):  # a module may keep other state
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
