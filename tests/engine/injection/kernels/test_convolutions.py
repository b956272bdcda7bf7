"""Convolutions with fewer multiplications, against torch's direct ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.injection.kernels.convolutions import FlatConvolution, quick_convolution
from engine.injection.kernels.winograd import WinogradConvolution

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place


def assert_convolves(convolution: object, weight: torch.Tensor, bias: torch.Tensor | None, x: torch.Tensor) -> None:
    assert callable(convolution)
    wide = None if bias is None else bias.double()
    expected = F.conv2d(x.double(), weight.double(), wide, padding=1)
    torch.testing.assert_close(convolution(x).double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (4, 4), (5, 7), (8, 8), (9, 4)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_winograd(size: tuple[int, int], has_bias: bool, place: Place) -> None:
    torch.manual_seed(0)
    weight, bias = place(torch.randn(5, 3, 3, 3)), place(torch.randn(5)) if has_bias else None
    assert_convolves(WinogradConvolution(weight, bias), weight, bias, place(torch.randn(6, 3, *size)))


def test_winograd_of_more_images_than_are_run_at_once(place: Place) -> None:
    torch.manual_seed(0)
    weight = place(torch.randn(4, 64, 3, 3)) / 24
    assert_convolves(WinogradConvolution(weight, None), weight, None, place(torch.randn(40, 64, 16, 16)))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_flat(size: tuple[int, int], has_bias: bool, place: Place) -> None:
    torch.manual_seed(0)
    weight, bias = place(torch.randn(5, 3, 3, 3)), place(torch.randn(5)) if has_bias else None
    assert_convolves(FlatConvolution(weight, bias, *size), weight, bias, place(torch.randn(70, 3, *size)))


@pytest.mark.parametrize("size", [2, 4])
def test_a_row_is_the_same_wherever_it_stands(size: int) -> None:
    """On a CPU, where products are cut for that."""
    torch.manual_seed(0)
    module = nn.Conv2d(128, 128, 3, padding=1)
    quick = quick_convolution(module, module.weight.detach(), None, torch.Size((1, 128, size, size)))
    assert quick is not None
    x = torch.randn(256, 128, size, size).contiguous(memory_format=torch.channels_last)
    order = torch.randperm(256)
    assert torch.equal(quick(x)[order], quick(x[order]))
    assert torch.equal(quick(x)[:64], quick(x[:64]))


@pytest.mark.parametrize(
    ("module", "size", "kind"),
    [
        (nn.Conv2d(128, 128, 3, padding=1), 4, WinogradConvolution),
        (nn.Conv2d(128, 128, 3, padding=1), 2, FlatConvolution),
        (nn.Conv2d(8, 8, 3, padding=1), 2, FlatConvolution),
        (nn.Conv2d(2048, 8, 3, padding=1), 2, None),
        (nn.Conv2d(64, 128, 3, padding=1), 4, None),
        (nn.Conv2d(128, 128, 3, padding=1, stride=2), 4, None),
        (nn.Conv2d(128, 128, 3), 4, None),
        (nn.Conv2d(128, 128, 3, padding=2, dilation=2), 4, None),
        (nn.Conv2d(128, 128, 3, padding=1, groups=2), 4, None),
        (nn.Conv2d(128, 128, 3, padding="same"), 4, None),
        (nn.Conv2d(128, 128, 1), 4, None),
    ],
)
def test_which_one(module: nn.Conv2d, size: int, kind: type | None) -> None:
    """On a CPU; a GPU has other limits."""
    shape = torch.Size((1, module.in_channels, size, size))
    quick = quick_convolution(module, module.weight.detach(), None, shape)
    assert quick is None if kind is None else isinstance(quick, kind)
