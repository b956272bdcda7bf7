"""Layers with their norms folded in, and updates of one input channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from engine.injection.network.folded import FoldedLayer, fold_layers
from engine.injection.network.traced import trace

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(5, 7, 3, padding=1),
        nn.Conv2d(5, 7, 3, padding=1, stride=2),
        nn.Conv2d(5, 7, (3, 2), padding=(2, 1), stride=(1, 3), dilation=(2, 1)),
        nn.Conv2d(5, 7, 1, bias=False),
        nn.Conv2d(5, 7, (9, 8)),
    ],
    ids=["plain", "stride", "uneven", "pointwise", "all at once"],
)
def test_update_of_each_pair(convolution: nn.Conv2d, order: torch.memory_format, place: Place) -> None:
    """Golden's result plus what the change of the pair's own channel gives is the result of the changed input."""
    generator = torch.Generator().manual_seed(0)
    images = place(torch.randn(6, 5, 9, 8, generator=generator))
    delta = place(torch.randn(6, 1, 9, 8, generator=generator))
    channel = torch.tensor([4, 0, 2, 2, 1, 4], device=images.device)
    layer = folded(place(convolution), images)
    changed = images.clone()
    changed[torch.arange(6), channel] += delta[:, 0]
    with torch.inference_mode():
        golden = convolution(images).contiguous(memory_format=order)
        updated = layer.update_pair_wise(golden, delta, channel)
        torch.testing.assert_close(updated, convolution(changed))
        assert updated.data_ptr() == golden.data_ptr()


def test_update_by_one_change_for_all_pairs(place: Place) -> None:
    """A change that pairs share in memory, as where nothing changes."""
    convolution = place(nn.Conv2d(2, 3, 1))
    images = place(torch.ones(4, 2, 5, 5))
    delta = place(torch.zeros(1, 1, 5, 5)).expand(4, -1, -1, -1)
    with torch.inference_mode():
        golden = convolution(images)
        layer = folded(convolution, images)
        updated = layer.update_pair_wise(golden.clone(), delta, torch.tensor([0, 1, 0, 1], device=images.device))
        assert torch.equal(updated, golden)


def folded(convolution: nn.Conv2d, images: torch.Tensor) -> FoldedLayer:
    """The convolution behind something that does not change it."""
    with torch.inference_mode():
        network = trace(nn.Sequential(nn.Identity(), convolution).eval(), images).network
    (layer,) = fold_layers(network).values()
    return layer
