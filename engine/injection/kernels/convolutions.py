"""Convolutions with fewer multiplications than the direct one, where that is known to be slower.

Which one runs depends on shapes alone, so that a campaign that is continued rounds as it did before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from engine.injection.kernels.winograd import WinogradConvolution

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

_LEAST_CHANNELS = 128
"""of a Winograd convolution, in and out; measured: with 64 its transforms take what it saves"""

_FLAT = 2
"""most rows and columns of a convolution that is run as one matrix product: there every output reads every input"""

_LEAST_ON_GPU = 256
"""of the same on a GPU. Measured on an H100 in TFLOP/s, as if it were the direct one: 256 channels at 8x8 65 against
41, 512 at 4x4 98 against 12, 128 at 16x16 38 against 35"""

_MOST_INPUTS = 4096
_ROWS_AT_ONCE = 64
"""in one product, on a CPU: larger ones round by the row's place (measured)"""


def quick_convolution(
    module: nn.Conv2d, weight: Tensor, bias: Tensor | None, source: torch.Size
) -> Callable[[Tensor], Tensor] | None:
    """A quicker way to run `module` with `weight` and `bias` on values of shape `source`, [n, in, h, w].

    Measured on one core (AVX-512) against the direct convolution: 512 channels at 2x2 one tenth of the time, 512 at 4x4
    a third, 256 at 8x8 half, 128 at 16x16 three quarters.
    """
    height, width = source[2:]
    is_plain = (module.kernel_size, module.stride, module.padding, module.dilation, module.groups) == (
        *((3, 3), (1, 1), (1, 1), (1, 1)),
        1,
    )
    if not is_plain:
        return None
    if max(height, width) <= _FLAT and source[1] * height * width <= _MOST_INPUTS:
        return FlatConvolution(weight, bias, height, width)
    if min(weight.shape[:2]) >= (_LEAST_CHANNELS if weight.device.type == "cpu" else _LEAST_ON_GPU):
        return WinogradConvolution(weight, bias)
    return None


class FlatConvolution:
    """A 3x3 convolution of padding 1 on a few positions, as one linear layer from all of them to all of them."""

    def __init__(self, weight: Tensor, bias: Tensor | None, height: int, width: int) -> None:
        """`weight` [out, in, 3, 3], `bias` [out], for inputs of `height` and `width`."""
        self._shape = (height, width, len(weight))
        by_place = [
            F.pad(weight, (3, 3, 3, 3))[..., top : top + height, left : left + width]
            for top in range(4, 4 - height, -1)
            for left in range(4, 4 - width, -1)
        ]  # for each output place the weights of all inputs, [out, in, height, width]
        rows = torch.stack(by_place).permute(3, 4, 2, 0, 1).reshape(height * width * weight.shape[1], -1)
        self._weight = rows.contiguous()
        self._bias = None if bias is None else bias.repeat(height * width)

    def __call__(self, x: Tensor) -> Tensor:
        """The result [n, out, h, w] for `x` [n, in, h, w]; channels last in memory."""
        flat = x.permute(0, 2, 3, 1).reshape(len(x), -1)
        parts = torch.split(flat, _ROWS_AT_ONCE) if flat.device.type == "cpu" else (flat,)
        result = torch.cat([part @ self._weight for part in parts])
        if self._bias is not None:
            result += self._bias
        return result.view(len(x), *self._shape).permute(0, 3, 1, 2)
