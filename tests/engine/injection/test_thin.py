"""The thin stage: a layer's result by golden plus one shifted input channel, and pooling without copying."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from engine.injection.thin import ThinLayer, has_thin_rule

LAYERS = {
    "plain": (nn.Conv2d(3, 4, 3), (3, 7, 6)),
    "padded": (nn.Conv2d(3, 4, 3, padding=1), (3, 6, 6)),
    "strided": (nn.Conv2d(2, 5, 3, stride=2, padding=(1, 2)), (2, 9, 8)),
    "dilated": (nn.Conv2d(2, 3, (3, 2), dilation=(2, 1)), (2, 9, 8)),
    "grouped": (nn.Conv2d(4, 6, 3, groups=2, padding=1), (4, 5, 5)),
    "depthwise": (nn.Conv2d(4, 4, 3, groups=4, padding=1, bias=False), (4, 6, 6)),
    "linear": (nn.Linear(10, 7), (10,)),
}


def with_changes(layer: nn.Conv2d | nn.Linear, places: Tensor, change: Tensor, x: Tensor) -> Tensor:
    """The layer's own result, with `change` [channels] added to one weight of every channel."""
    golden = layer.weight.detach().clone()
    flat = layer.weight.data.view(len(golden), -1)
    flat[torch.arange(len(flat)), places] += change
    try:
        return layer(x).detach()
    finally:
        layer.weight.data = golden


@pytest.mark.parametrize("name", LAYERS)
def test_every_weight_of_every_channel(name: str) -> None:
    layer, shape = LAYERS[name]
    torch.manual_seed(1)
    x = torch.randn(5, *shape)
    assert has_thin_rule(layer, x)
    golden = layer(x).detach()
    thin = ThinLayer(layer, x, golden)
    channels, change = torch.arange(len(golden[0])), torch.randn(len(golden[0]))
    for place in range(layer.weight[0].numel()):
        places = torch.full_like(channels, place)
        torch.testing.assert_close(thin.outputs(channels, places, change), with_changes(layer, places, change, x))


def test_other_channels_stay_golden() -> None:
    layer, shape = LAYERS["padded"]
    x = torch.randn(5, *shape)
    golden = layer(x).detach()
    some = ThinLayer(layer, x, golden).outputs(torch.tensor([2]), torch.tensor([4]), torch.tensor([3.0]))
    torch.testing.assert_close(some[:, [0, 1, 3]], golden[:, [0, 1, 3]], rtol=0, atol=0)
    assert not torch.equal(some[:, 2], golden[:, 2])


def test_layers_without_a_rule() -> None:
    assert not has_thin_rule(nn.Conv2d(1, 1, 3, padding="same"), torch.zeros(1, 1, 4, 4))
    assert not has_thin_rule(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), torch.zeros(1, 1, 4, 4))
    assert not has_thin_rule(nn.Linear(4, 4), torch.zeros(1, 2, 4))
