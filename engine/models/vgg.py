"""VGG (Simonyan & Zisserman, 2015, table 1) for small images: batch norm, and one linear layer instead of three."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class VGG(nn.Module):
    """Stages of 3x3 convolutions, each stage followed by 2x2 max pooling.

    Parameter names are `features.N` and `classifier`, as in kuangliu/pytorch-cifar.
    Pooling rounds up, so that 28x28 images outlast five poolings as 32x32 ones do.
    Shapes: images float32 [N, in_channels, H, W] -> logits [N, classes].
    """

    def __init__(self, stages: Sequence[Sequence[int]], in_channels: int, classes: int) -> None:
        """`stages`: output channels of the convolutions, stage by stage."""
        super().__init__()
        layers: list[nn.Module] = []
        previous = in_channels
        for stage in stages:
            for channels in stage:
                layers += [nn.Conv2d(previous, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
                previous = channels
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(previous, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(images), 1)
        logits: Tensor = self.classifier(x.flatten(1))
        return logits


def vgg11(in_channels: int, classes: int) -> VGG:
    """Configuration A; 9,222,848 weights with 3 channels and 10 classes."""
    return VGG([(64,), (128,), (256, 256), (512, 512), (512, 512)], in_channels, classes)


def vgg16(in_channels: int, classes: int) -> VGG:
    """Configuration D; 14,715,584 weights with 3 channels and 10 classes."""
    stages = [(64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)]
    return VGG(stages, in_channels, classes)
