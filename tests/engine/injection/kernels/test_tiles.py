"""Max pooling in side-by-side windows, against torch's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.injection.kernels.tiles import max_of_tiles
from engine.injection.network.graph import Network

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, fx

    from tests.engine.injection.networks import Place


class Pooled(nn.Module):
    """A network of one pooling."""

    def __init__(self, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


def tile_of(node: fx.Node) -> object:
    return node.args[1] if node.target is max_of_tiles else None


@pytest.mark.parametrize(
    ("pool", "tile"),
    [
        (nn.MaxPool2d(2), (2, 2)),
        (nn.MaxPool2d((3, 2)), (3, 2)),
        (lambda x: F.max_pool2d(x, 2), (2, 2)),
        (lambda x: F.max_pool2d(x, kernel_size=(2, 3), stride=(2, 3)), (2, 3)),
        (lambda x: torch.max_pool2d(x, [2, 2]), (2, 2)),
        (nn.MaxPool2d(3, stride=2), None),
        (nn.MaxPool2d(2, padding=1), None),
        (nn.MaxPool2d(2, ceil_mode=True), None),
        (nn.MaxPool2d(2, dilation=2), None),
        (lambda x: F.max_pool2d(x, 2, padding=1), None),
        (lambda x: F.avg_pool2d(x, 2), None),
    ],
)
def test_which_poolings_are_tilings(pool: Callable[[Tensor], Tensor], tile: tuple[int, int] | None) -> None:
    assert tile_of(Network(Pooled(pool)).nodes[-1]) == tile


@pytest.mark.parametrize("size", [(2, 2), (3, 2), (1, 4)])
def test_same_as_torch_with_nan_and_infinity_in_any_layout(size: tuple[int, int], place: Place) -> None:
    value = place(torch.randn(3, 2, 7, 9))
    value[0, 0, 2, 3], value[1, 1, 0, 0], value[2, 0, 5, 1] = torch.nan, torch.inf, -torch.inf
    expected = F.max_pool2d(value, size)
    for layout in (value, value.permute(1, 2, 3, 0).contiguous().permute(3, 0, 1, 2)):
        torch.testing.assert_close(max_of_tiles(layout, size), expected, rtol=0, atol=0, equal_nan=True)
