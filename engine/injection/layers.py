"""The injectable layers of a network."""

from __future__ import annotations

from typing import TypeGuard

from torch import nn

from engine.errors import InputError
from engine.faults.population import Layer


def is_injectable(module: nn.Module) -> TypeGuard[nn.Conv2d | nn.Linear]:
    """Whether faults can be injected into its weights."""
    return isinstance(module, nn.Conv2d | nn.Linear)


def injectable_modules(model: nn.Module) -> list[tuple[str, nn.Conv2d | nn.Linear]]:
    """Name and module of every convolution and linear layer, in module order."""
    return [(name, module) for name, module in model.named_modules() if is_injectable(module)]


def injectable_layers(model: nn.Module) -> tuple[Layer, ...]:
    """The layers whose weights form the population.

    Raises:
        InputError: if there is none.
    """
    layers = tuple(
        Layer(index, name, tuple(module.weight.shape)) for index, (name, module) in enumerate(injectable_modules(model))
    )
    if not layers:
        raise InputError(
            f"{type(model).__name__}: the network has no Conv2d or Linear layer to inject into; give one that has"
        )
    return layers
