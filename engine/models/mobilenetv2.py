"""MobileNetV2 (Sandler et al., 2018, table 2) for small images: strides (1, 1, 2, 2, 1, 2, 1), and 1 in the stem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""expansion, output channels at width 1, blocks, stride of the first block"""


class InvertedResidual(nn.Module):
    """Expand, filter each channel alone, project: [N, in_channels, H, W] -> [N, channels, H / stride, W / stride]."""

    def __init__(self, in_channels: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = _convolution(in_channels, hidden, 1) if expansion != 1 else []
        depthwise = _convolution(hidden, hidden, 3, stride, groups=hidden)
        project = [nn.Conv2d(hidden, channels, 1, bias=False), nn.BatchNorm2d(channels)]
        self.conv = nn.Sequential(*expand, *depthwise, *project)
        self.residual = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.residual else out


class MobileNetV2(nn.Module):
    """17 inverted residuals with ReLU6; 2,202,560 weights at width 1 with 3 channels and 10 classes.

    `width` scales the channels of every layer, the last convolution's 1280 too (640 at 0.5), to multiples of 8.
    Shapes: images float32 [N, in_channels, H, W] -> logits [N, classes].
    """

    def __init__(self, in_channels: int, classes: int, width: float = 1.0) -> None:
        super().__init__()
        channels = _multiple_of_8(32 * width)
        self.stem = nn.Sequential(*_convolution(in_channels, channels, 3))
        blocks = []
        for expansion, unscaled, count, first_stride in STAGES:
            previous, channels = channels, _multiple_of_8(unscaled * width)
            blocks.append(InvertedResidual(previous, channels, first_stride, expansion))
            blocks += [InvertedResidual(channels, channels, 1, expansion) for _ in range(count - 1)]
        self.blocks = nn.Sequential(*blocks)
        last = _multiple_of_8(1280 * width)
        self.head = nn.Sequential(*_convolution(channels, last, 1))
        self.linear = nn.Linear(last, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.head(self.blocks(self.stem(images)))
        logits: Tensor = self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


def _convolution(in_channels: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(
        in_channels, channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False
    )
    return [convolution, nn.BatchNorm2d(channels), nn.ReLU6()]


def _multiple_of_8(channels: float) -> int:
    """The nearest one, at least 8, and never more than 10 % below `channels`: as the authors round."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
