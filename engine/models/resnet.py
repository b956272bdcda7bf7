"""ResNet-18 and ResNet-20 (He et al., 2016) for small images: a 3x3 stem of stride 1 and no max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class PaddedShortcut(nn.Module):
    """Option A, without parameters: every other pixel, and half of the new zero channels on either side.

    Shapes: [N, in_channels, H, W] -> [N, channels, H / stride, W / stride].
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.padding = (channels - in_channels) // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: [N, in_channels, H, W] -> [N, channels, H / stride, W / stride].

    Where the shape changes, the shortcut is a 1x1 convolution (option B) or without parameters (option A).
    """

    def __init__(self, in_channels: int, channels: int, stride: int, has_projection: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Sequential()
        if in_channels != channels and has_projection:
            projection = nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(channels))
        elif in_channels != channels:
            self.shortcut = PaddedShortcut(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x))


class ResNet(nn.Module):
    """Stages of blocks, each stage after the first with a stride of 2.

    Shapes: images float32 [N, in_channels, H, W] -> logits [N, classes].
    """

    def __init__(
        self, in_channels: int, classes: int, widths: Sequence[int], blocks: int, has_projection: bool
    ) -> None:
        """`widths` are the channels of the stages, `blocks` is how many each of them has."""
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self._stages = [f"layer{number}" for number in range(1, len(widths) + 1)]
        for name, before, width in zip(self._stages, (widths[0], *widths), widths, strict=False):
            first = BasicBlock(before, width, 1 if before == width else 2, has_projection)
            others = [BasicBlock(width, width, 1, has_projection) for _ in range(blocks - 1)]
            self.add_module(name, nn.Sequential(first, *others))
        self.linear = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(images)))
        for name in self._stages:
            x = self.get_submodule(name)(x)
        logits: Tensor = self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


def resnet18(in_channels: int, classes: int) -> ResNet:
    """As in table 1, with option B; 11,164,352 weights with 3 channels and 10 classes.

    Parameter names are those of kuangliu/pytorch-cifar.
    """
    return ResNet(in_channels, classes, (64, 128, 256, 512), blocks=2, has_projection=True)


def resnet20(in_channels: int, classes: int) -> ResNet:
    """As in section 4.2, with option A; 268,336 weights with 3 channels and 10 classes.

    Parameter names are those of akamaster/pytorch_resnet_cifar10.
    """
    return ResNet(in_channels, classes, (16, 32, 64), blocks=3, has_projection=False)
