"""How the networks of the experiments are trained: a recipe each, and the random moves of its images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle schedule, on images that are moved at random: what is 0 or off is not done."""

    epochs: int
    batch_size: int
    learning_rate: float
    """the highest of the cycle"""
    weight_decay: float
    label_smoothing: float = 0
    """share of each label that is spread over all classes"""
    rotation: float = 0
    """degrees, at most, either way"""
    zoom: float = 0
    """share of the size, at most, larger or smaller, per axis"""
    shift: float = 0
    """share of the size, at most, per axis and direction"""
    crop: int = 0
    """pixels, at most, per axis and direction: a crop of the image's own size out of the image padded by as many"""
    mirror: bool = False
    """whether left and right change places in every other image"""

    def augment(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Each image [N, C, H, W] moved by its own random amounts, on the device of the images and of `random`."""
        if self.rotation or self.zoom or self.shift:
            images = self._turn(images, random)
        if self.crop or self.mirror:
            images = self._crop(images, random)
        return images

    def _turn(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Turned, zoomed and shifted; what comes in at an edge is the edge."""

        def uniform(limit: float, *shape: int) -> Tensor:
            drawn = torch.rand(len(images), *shape, generator=random, device=images.device)
            return (2 * drawn - 1) * limit

        angle = uniform(math.radians(self.rotation))
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).view(-1, 2, 2)
        scale = 1 + uniform(self.zoom, 1, 2)
        shift = uniform(2 * self.shift, 2, 1)  # affine_grid's coordinates run from -1 to 1
        grid = F.affine_grid(torch.cat([turn * scale, shift], dim=2), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _crop(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Shifted by whole pixels and mirrored; what comes in at an edge mirrors what is there."""
        count, _, height, width = images.shape
        device = images.device
        corner = torch.randint(2 * self.crop + 1, (2, count, 1), generator=random, device=device)
        is_mirrored = torch.rand(count, 1, generator=random, device=device) < 0.5 * self.mirror
        rows = corner[0] + torch.arange(height, device=device)
        columns = corner[1] + torch.arange(width, device=device)
        columns = torch.where(is_mirrored, columns.flip(1), columns)
        padded = F.pad(images, (self.crop,) * 4, mode="reflect")
        each = torch.arange(count, device=device)[:, None, None]
        return padded[each, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


RECIPES: Mapping[tuple[str, str], Recipe] = {
    ("lenet5", "mnist"): Recipe(
        epochs=4, batch_size=128, learning_rate=4e-3, weight_decay=0.05, rotation=8, zoom=0.1, shift=0.06
    ),
    # crops, mirror images and epochs as Page (myrtle.ai, 2018). He trains by SGD and divides the logits by 8; without
    # that, SGD at half his learning rate did not learn (seen on images of half the size).
    ("resnet9", "cifar10"): Recipe(
        epochs=24,
        batch_size=512,
        learning_rate=5e-3,
        weight_decay=0.05,
        label_smoothing=0.1,
        crop=4,
        mirror=True,
    ),
}
"""By network and data set."""
