"""Networks by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.models.lenet5 import LeNet5
from engine.models.mobilenetv2 import MobileNetV2
from engine.models.resnet import resnet18, resnet20
from engine.models.resnet9 import ResNet9
from engine.models.torchvision_cnn import torchvision_cnn
from engine.models.vgg import vgg11, vgg16

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

ARCHITECTURES: Mapping[str, Callable[[int, int], nn.Module]] = {
    "lenet5": LeNet5,
    "resnet9": ResNet9,
    "resnet18": resnet18,
    "resnet20": resnet20,
    "vgg11": vgg11,
    "vgg16": vgg16,
    "mobilenetv2": MobileNetV2,
}


def build_model(arch: str, in_channels: int, classes: int, width: float = 1.0) -> nn.Module:
    """A freshly initialised network of that name; `width` is MobileNetV2's.

    Those of torchvision take 3 channels, whatever `in_channels` is.

    Raises:
        InputError: there is no such network.
    """
    if arch.startswith("torchvision:"):
        return torchvision_cnn(arch.removeprefix("torchvision:"), classes)
    if arch not in ARCHITECTURES:
        raise InputError(f'there is no network "{arch}": use one of {", ".join(ARCHITECTURES)}')
    if arch == "mobilenetv2":
        return MobileNetV2(in_channels, classes, width)
    return ARCHITECTURES[arch](in_channels, classes)
