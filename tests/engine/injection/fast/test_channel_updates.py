"""The thin stage: a layer's result by golden plus one shifted input channel, and pooling without copying."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.injection.exact.packs import Pack
from engine.injection.fast.channel_updates import ChangedWeights, UpdatedLayer, has_update_rule

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place

LAYERS: dict[str, tuple[nn.Conv2d | nn.Linear, tuple[int, ...]]] = {
    "plain": (nn.Conv2d(3, 4, 3), (3, 7, 6)),
    "padded": (nn.Conv2d(3, 4, 3, padding=1), (3, 6, 6)),
    "strided": (nn.Conv2d(2, 5, 3, stride=2, padding=(1, 2)), (2, 9, 8)),
    "dilated": (nn.Conv2d(2, 3, (3, 2), dilation=(2, 1)), (2, 9, 8)),
    "grouped": (nn.Conv2d(4, 6, 3, groups=2, padding=1), (4, 5, 5)),
    "depthwise": (nn.Conv2d(4, 4, 3, groups=4, padding=1, bias=False), (4, 6, 6)),
    "linear": (nn.Linear(10, 7), (10,)),
}


def placed(name: str, place: Place) -> tuple[nn.Conv2d | nn.Linear, Tensor]:
    """One of them, and what it reads."""
    layer, shape = LAYERS[name]
    place(layer)
    return layer, place(torch.randn(5, *shape))


def with_changes(layer: nn.Conv2d | nn.Linear, places: Tensor, change: Tensor, x: Tensor) -> Tensor:
    """The layer's own result, with `change` [channels] added to one weight of every channel."""
    golden = layer.weight.detach().clone()
    flat = layer.weight.data.view(len(golden), -1)
    flat[torch.arange(len(flat), device=flat.device), places] += change
    try:
        return layer(x).detach()
    finally:
        layer.weight.data = golden


@pytest.mark.parametrize("name", LAYERS)
def test_every_weight_of_every_channel(name: str, place: Place) -> None:
    torch.manual_seed(1)
    layer, x = placed(name, place)
    assert has_update_rule(layer, x)
    golden = layer(x).detach()
    thin = UpdatedLayer(layer, x, golden)
    channels, change = torch.arange(len(golden[0]), device=x.device), place(torch.randn(len(golden[0])))
    for index in range(layer.weight[0].numel()):
        places = torch.full_like(channels, index)
        weights = ChangedWeights(channels, channels, places[:, None], change[:, None], None)
        torch.testing.assert_close(thin.outputs(weights), with_changes(layer, places, change, x))


def test_other_channels_stay_golden(place: Place) -> None:
    layer, x = placed("padded", place)
    golden = layer(x).detach()
    weights = changed_weights(layer, channels=[2], places=[4], change=[3.0])
    assert weights.slots is None
    some = UpdatedLayer(layer, x, golden).outputs(weights)
    torch.testing.assert_close(some[:, [0, 1, 3]], golden[:, [0, 1, 3]], rtol=0, atol=0)
    assert not torch.equal(some[:, 2], golden[:, 2])


def test_faults_in_most_channels_are_filled_up_to_all(place: Place) -> None:
    layer, x = placed("padded", place)
    golden = layer(x).detach()
    weights = changed_weights(layer, channels=[0, 1, 3], places=[4, 0, 7], change=[3.0, -2.0, 1.0])
    filled = UpdatedLayer(layer, x, golden).outputs(weights)
    places, change = torch.tensor([4, 0, 0, 7], device=x.device), place(torch.tensor([3.0, -2.0, 0.0, 1.0]))
    torch.testing.assert_close(filled, with_changes(layer, places, change, x))
    torch.testing.assert_close(filled[:, 2], golden[:, 2], rtol=0, atol=0)
    of_channels = torch.arange(4, device=x.device)[:, None, None].expand(4, 1, 5)
    assert weights.of_faults(of_channels).tolist() == [[channel] * 5 for channel in (0, 1, 3)]
    assert weights.faults.tolist() == [10, 11, 12]


def changed_weights(layer: nn.Module, channels: list[int], places: list[int], change: list[float]) -> ChangedWeights:
    """Of faults whose rows begin at 10."""
    rows = np.arange(10, 10 + len(channels))
    of_rows = np.zeros(rows[-1] + 1, dtype=np.int64), np.zeros(rows[-1] + 1, dtype=np.float32)
    of_rows[0][rows], of_rows[1][rows] = places, change
    assert isinstance(layer.weight, torch.Tensor)
    return ChangedWeights.of([Pack(rows, np.array(channels))], *of_rows, layer.weight)


def test_layers_without_a_rule() -> None:
    assert not has_update_rule(nn.Conv2d(1, 1, 3, padding="same"), torch.zeros(1, 1, 4, 4))
    assert not has_update_rule(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), torch.zeros(1, 1, 4, 4))
    assert not has_update_rule(nn.Linear(4, 4), torch.zeros(1, 2, 4))
