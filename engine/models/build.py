"""Networks by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.models.lenet5 import LeNet5
from engine.models.resnet20 import ResNet20

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

ARCHITECTURES: Mapping[str, Callable[[int, int], nn.Module]] = {"lenet5": LeNet5, "resnet20": ResNet20}


def build_model(arch: str, in_channels: int, classes: int) -> nn.Module:
    """A freshly initialised network of that name.

    Raises:
        InputError: there is no such network.
    """
    if arch not in ARCHITECTURES:
        raise InputError(f'there is no network "{arch}": use one of {", ".join(ARCHITECTURES)}')
    return ARCHITECTURES[arch](in_channels, classes)
