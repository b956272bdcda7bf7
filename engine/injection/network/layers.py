"""The injectable layers of a network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from torch import nn

from engine.errors import InputError
from engine.faults.population import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Injectable: TypeAlias = (
    nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d | nn.Linear
)
INJECTABLE = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    nn.Linear,
)
"""the modules whose weights form the population"""


def is_injectable(module: nn.Module) -> TypeGuard[Injectable]:
    """Whether faults can be injected into its weights: they are a parameter, not computed in each forward pass."""
    return isinstance(module, INJECTABLE) and isinstance(module._parameters.get("weight"), nn.Parameter)


def injectable_modules(model: nn.Module) -> list[tuple[str, Injectable]]:
    """Name and module of every convolution and linear layer, in module order, each weight once.

    A module whose weight is the parameter of one before it (tied weights) is not among them: a fault in that weight
    is the first one's, and shows in both.
    """
    layers: dict[int, tuple[str, Injectable]] = {}
    for name, module in model.named_modules():
        if is_injectable(module):
            layers.setdefault(id(module.weight), (name, module))
    return list(layers.values())


def flat_weight(weight: Tensor) -> NDArray[Any]:
    """The values of a weight of any shape on the host, [weights] as `weight_index` counts them: in C order."""
    return np.asarray(weight.detach().cpu().contiguous().numpy().reshape(-1))


def injectable_layers(model: nn.Module) -> tuple[Layer, ...]:
    """The layers whose weights form the population.

    Raises:
        InputError: if there is none.
    """
    layers = tuple(
        Layer(index, name, tuple(module.weight.shape), partial(flat_weight, module.weight))
        for index, (name, module) in enumerate(injectable_modules(model))
    )
    if not layers:
        raise InputError(
            f"{type(model).__name__}: the network has no convolution or linear layer to inject into; give one that has"
        )
    return layers
