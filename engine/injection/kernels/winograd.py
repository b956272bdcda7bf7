"""3x3 convolutions with a quarter of the multiplications: F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks" (2016), as three matrix products.

Its rounding error is some ten times that of a direct convolution; the fast method measures it and leaves what is closer
than that to `exact`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_TILE = 4
"""rows and columns of outputs computed from one patch"""

_PATCH = _TILE + 2

_BYTES_AT_ONCE = {"cpu": 4 * 2**20, "cuda": 256 * 2**20}
"""what the patches of the images that are run at once should stay under, by device: on a CPU they fit the cache"""

_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_FILTER = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)


class WinogradConvolution:
    """A 3x3 convolution of stride 1 and padding 1, channels last in memory."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """`weight` [out, in, 3, 3], `bias` [out]."""
        out, channels = weight.shape[:2]
        filters = _both_ways(_FILTER).to(weight.device) @ weight.double().reshape(out * channels, 9).T
        self._filters = filters.view(-1, out, channels).transpose(1, 2).to(weight.dtype).contiguous()
        self._input = _both_ways(_INPUT).to(weight)
        self._output = _both_ways(_OUTPUT).to(weight)
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """The result [n, out, h, w] for `x` [n, in, h, w]."""
        count, channels, height, width = x.shape
        rows, columns = -(-height // _TILE), -(-width // _TILE)
        padding = (0, 0, 1, _TILE * columns + 1 - width, 1, _TILE * rows + 1 - height)
        padded = F.pad(x.permute(0, 2, 3, 1), padding)
        at_once = max(1, _BYTES_AT_ONCE[x.device.type] // (4 * _PATCH**2 * rows * columns * channels))
        parts = [self._run(padded[start : start + at_once], rows, columns) for start in range(0, count, at_once)]
        result = parts[0] if len(parts) == 1 else torch.cat(parts)
        return result[:, :height, :width].permute(0, 3, 1, 2)

    def _run(self, padded: Tensor, rows: int, columns: int) -> Tensor:
        """The result [n, 4 * rows, 4 * columns, out] for [n, 4 * rows + 2, 4 * columns + 2, in]."""
        patches = torch.stack(
            [
                padded[:, top : top + _TILE * rows : _TILE, left : left + _TILE * columns : _TILE]
                for top in range(_PATCH)
                for left in range(_PATCH)
            ]
        )
        transformed = (self._input @ patches.view(_PATCH**2, -1)).view(_PATCH**2, -1, padded.shape[3])
        tiles = self._output @ torch.bmm(transformed, self._filters).view(_PATCH**2, -1)
        if self._bias is not None:
            tiles.view(-1, len(self._bias)).add_(self._bias)
        result = tiles.view(_TILE, _TILE, len(padded), rows, columns, -1).permute(2, 3, 0, 4, 1, 5)
        return result.reshape(len(padded), _TILE * rows, _TILE * columns, -1)


def _both_ways(matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """The transform of rows and columns at once, as one matrix in float64."""
    one_way = torch.tensor(matrix, dtype=torch.float64)
    return torch.kron(one_way, one_way)
