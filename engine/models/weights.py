"""Trained weights: read as tensors only, never as code, and put into their network."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.errors import InputError
from engine.models.build import build_model
from engine.models.factory import call_factory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    code: str | None = None
    """what tells one version of the network's code from another; None for the networks of this package"""


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

    The images give the number of channels, the weights file the number of classes; a factory's network has its own.

    Raises:
        InputError: weights of another network, images it does not take, an output that is not [batch, classes], or
            labels it has no class for.
    """
    path = config.weights or BUNDLED_WEIGHTS
    weights = read_weights(path)
    model, code = _build(config, dataset.images.shape[1], weights)
    _check_weights(path, weights, model, _described(config, dataset.images.shape[1]))
    model.load_state_dict(weights, strict=False)
    model.eval().requires_grad_(False)
    classes = _count_classes(config.arch, model, dataset)
    if dataset.labels.max(initial=0) >= classes:
        image = int(dataset.labels.argmax())
        raise InputError(
            f"{dataset.name}: image {image} has label {dataset.labels[image]}, but the network of {path} has {classes} "
            f"classes (0 to {classes - 1}); mend the labels or give other weights"
        )
    return LoadedModel(model, _sha256(model.state_dict()), code)


def _build(config: ModelConfig, channels: int, weights: Mapping[str, Tensor]) -> tuple[nn.Module, str | None]:
    """The network without its weights, and its `code`."""
    if config.is_factory:
        made = call_factory(config.arch, config.path)
        return made.model, made.source_sha256

    def build(classes: int) -> nn.Module:
        return build_model(config.arch, channels, classes, config.width)

    is_foreign = config.arch.startswith("torchvision:")
    return build(_classes(weights, build)), version("torchvision") if is_foreign else None


def _classes(weights: Mapping[str, Tensor], build: Callable[[int], nn.Module]) -> int:
    """Rows of the classifier's weights in the file; 10 where the file has no such layer and is refused anyway.

    The classifier is the layer that has one row for one class; in some networks of torchvision it is a convolution.
    """
    name, classifier = next(item for item in build(1).named_parameters() if len(item[1]) == 1)
    return weights[name].shape[0] if name in weights and weights[name].ndim == classifier.ndim else 10


def _described(config: ModelConfig, channels: int) -> str:
    if config.is_factory:
        return config.arch
    width = f" of width {config.width:g}" if config.arch == "mobilenetv2" else ""
    return f"{config.arch}{width} on {channels}-channel images"


def _count_classes(arch: str, model: nn.Module, dataset: Dataset) -> int:
    """Classes of a network's output for the images; refuses images and networks that do not go together."""
    size = dataset.images.shape[1:]
    misfit = f"{dataset.name}: images of {' x '.join(map(str, size))} do not fit {arch}"
    if getattr(model, "image_size", size[1:]) != size[1:]:
        raise InputError(f"{misfit}, which takes 1 x 28 x 28 or 3 x 32 x 32; give [dataset] images of that size")
    try:
        with torch.inference_mode():
            output = model(torch.zeros(2, *size))
    except Exception as error:  # a network may raise anything for what it was not made for
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{misfit} ({reason}); give [dataset] other images, or mend [model] arch") from None
    if not isinstance(output, torch.Tensor) or output.ndim != 2 or len(output) != 2:
        given = f"{list(output.shape)}" if isinstance(output, torch.Tensor) else f"a {type(output).__name__}"
        raise InputError(
            f"{arch}: its output for 2 images is {given}, but should be logits [2, classes]; mend [model] arch"
        )
    return output.shape[1]


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
