"""ResNet-9: residual learning (He et al., 2016) in nine layers, as laid out for CIFAR-10 by Page (myrtle.ai, 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class Residual(nn.Module):
    """Two convolutions around which the input is added again: [N, channels, H, W] -> [N, channels, H, W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, channels)
        self.conv2 = _convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv2(self.conv1(x))
        return out


class ResNet9(nn.Module):
    """Eight convolutions, three of them halving the image, and one linear layer; 6,568,640 weights on CIFAR-10.

    Shapes: images float32 [N, in_channels, H, W] of at least 8 x 8 -> logits [N, classes].
    """

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.prep = _convolution(in_channels, 64)
        self.layer1 = nn.Sequential(_convolution(64, 128), nn.MaxPool2d(2), Residual(128))
        self.layer2 = nn.Sequential(_convolution(128, 256), nn.MaxPool2d(2))
        self.layer3 = nn.Sequential(_convolution(256, 512), nn.MaxPool2d(2), Residual(512))
        self.linear = nn.Linear(512, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.prep(images))))
        logits: Tensor = self.linear(F.adaptive_max_pool2d(x, 1).flatten(1))
        return logits


def _convolution(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
    )
