"""LeNet-5 (LeCun et al., 1998) as it is built today: ReLU and max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class LeNet5(nn.Module):
    """Two convolutions and three linear layers; 61,470 weights with one input channel, biases apart.

    Args:
        in_channels: 1 pads conv1 by 2 (28x28 images, as MNIST); any other number does not (32x32, as CIFAR-10).
        classes: number of logits.

    Shapes: images float32 [N, 1, 28, 28] or [N, C, 32, 32] -> logits [N, classes].
    """

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.image_size = (28, 28) if in_channels == 1 else (32, 32)
        """the one size it is made for; pooling would let a few pixels more through"""
        self.conv1 = nn.Conv2d(in_channels, 6, 5, padding=2 if in_channels == 1 else 0)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        logits: Tensor = self.fc3(x)
        return logits
