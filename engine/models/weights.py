"""Trained weights: read as tensors only, never as code, and put into their network."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.errors import InputError
from engine.models.build import build_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from engine.config import ModelConfig
    from engine.datasets import Dataset

BUNDLED_WEIGHTS = Path(__file__).parent / "weights" / "lenet5_mnist.safetensors"
"""LeNet-5 on MNIST, trained by `engine.training`; how is in the file's metadata."""


@dataclass(frozen=True)
class LoadedModel:
    """A trained network, ready to run."""

    model: nn.Module
    """in eval mode, float32, on the CPU"""
    weights_sha256: str
    """of names, shapes and values: the same for the same weights in another file format"""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a .pt/.th file saved by torch.

    `{"state_dict": ...}` is unwrapped and the prefix "module." removed.

    Raises:
        InputError: the file is missing, or holds anything but tensors.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give [model] weights a .safetensors, .pt or .th file")
    try:
        stored = load_file(path) if path.suffix == ".safetensors" else _load_torch(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a safetensors file ({error}); give [model] weights another file") from None
    if isinstance(stored, dict):
        stored = stored.get("state_dict", stored)
    if not isinstance(stored, dict) or not all(isinstance(value, torch.Tensor) for value in stored.values()):
        raise InputError(f"{path}: holds more than named tensors; save the network's state_dict() there instead")
    return {str(name).removeprefix("module."): tensor for name, tensor in stored.items()}


def _load_torch(path: Path) -> object:
    try:
        with warnings.catch_warnings(action="ignore"):  # torch's advice on foreign pickles, which are refused anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch documents no closed set of errors for files that are not its own
        raise InputError(
            f"{path}: not a file of tensors, and nothing else is unpickled; give [model] weights the network's "
            "state_dict() as .safetensors, .pt or .th"
        ) from None


def load_model(config: ModelConfig, dataset: Dataset) -> LoadedModel:
    """The network of the config with its weights, checked against the weights file and the images.

    The images give the number of channels, the weights file the number of classes.

    Raises:
        InputError: weights of another network, images it does not take, or labels it has no class for.
    """
    path = config.weights or BUNDLED_WEIGHTS
    weights = read_weights(path)
    channels, height, width = dataset.images.shape[1:]
    model = build_model(config.arch, channels, _classes(weights, build_model(config.arch, channels, 1)))
    _check_weights(path, weights, model, f"{config.arch} on {channels}-channel images")
    model.load_state_dict(weights, strict=False)
    model.eval().requires_grad_(False)
    if getattr(model, "image_size", (height, width)) != (height, width):
        raise InputError(
            f"{dataset.name}: images of {channels} x {height} x {width} do not fit {config.arch}, which takes "
            "1 x 28 x 28 or 3 x 32 x 32; give [dataset] images of that size"
        )
    classes = model(torch.zeros(1, channels, height, width)).shape[1]
    if dataset.labels.max(initial=0) >= classes:
        image = int(dataset.labels.argmax())
        raise InputError(
            f"{dataset.name}: image {image} has label {dataset.labels[image]}, but the network of {path} has {classes} "
            f"classes (0 to {classes - 1}); mend the labels or give other weights"
        )
    return LoadedModel(model, _sha256(model.state_dict()))


def _classes(weights: Mapping[str, Tensor], model: nn.Module) -> int:
    """Rows of the last layer's weights in the file; 10 where the file has no such layer and is refused anyway."""
    last = [name for name, parameter in model.named_parameters() if parameter.ndim == 2][-1]
    return weights[last].shape[0] if last in weights and weights[last].ndim == 2 else 10


def _check_weights(path: Path, weights: Mapping[str, Tensor], model: nn.Module, network: str) -> None:
    expected = model.state_dict()
    required = [name for name in expected if not name.endswith("num_batches_tracked")]
    problems = []
    for name in required:
        if name in weights and weights[name].shape != expected[name].shape:
            given, wanted = tuple(weights[name].shape), tuple(expected[name].shape)
            problems.append(f"{name} is {given} in the file but {wanted} in the network")
            break
    if missing := [name for name in required if name not in weights]:
        problems.append(f"the file lacks {_names(missing)}")
    if unexpected := [name for name in weights if name not in expected]:
        problems.append(f"the network has no {_names(unexpected)}")
    if problems:
        raise InputError(
            f"{path}: not the weights of {network}: {', and '.join(problems)}; mend [model] arch or weights"
        )


def _names(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _sha256(weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in weights.items():
        if not name.endswith("num_batches_tracked"):
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
