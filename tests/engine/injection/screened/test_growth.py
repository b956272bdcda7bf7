"""The factor by which a change can grow until channels mix, against changes that do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from engine.injection.network.graph import Network
from engine.injection.network.suffix import reach_layers
from engine.injection.screened.growth import growth_of

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place


def norm(channels: int) -> nn.BatchNorm2d:
    """With statistics and a scale of its own in each channel."""
    module = nn.BatchNorm2d(channels)
    module.running_var = torch.rand(channels) + 0.1
    module.running_mean = torch.randn(channels)
    module.weight.data = torch.randn(channels) * 2
    return module


class Residual(nn.Module):
    """A channel that is added to itself, activated."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        z = self.conv(x)
        return torch.relu(z) + z


AFTER = {
    "nothing": nn.Identity(),
    "norm and relu": nn.Sequential(norm(4), nn.ReLU()),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "hardswish": nn.Hardswish(),
    "mish": nn.Mish(),
    "leaky": nn.LeakyReLU(1.5),
    "overlapping maxima": nn.MaxPool2d(3, 2, padding=1),
    "maxima side by side": nn.MaxPool2d(2),
    "means": nn.AvgPool2d(2),
    "overlapping means": nn.AvgPool2d(3, 1, padding=1),
    "means at the border": nn.AvgPool2d(3, 1, padding=1, count_include_pad=False),
    "one mean": nn.AdaptiveAvgPool2d(1),
    "uneven means": nn.AdaptiveAvgPool2d(3),
    "uneven maxima": nn.AdaptiveMaxPool2d(3),
    "depthwise": nn.Conv2d(4, 4, 3, padding=1, groups=4),
    "all of it": nn.Sequential(norm(4), nn.SiLU(), nn.Conv2d(4, 4, 3, stride=2, groups=4), norm(4), nn.MaxPool2d(3, 1)),
}


def growth_after(network: nn.Module, images: Tensor) -> Tensor | None:
    """[channels] of the first layer of `network`, whose output is the only frontier value."""
    graph = Network(network.eval())
    graph.find_shapes(images)
    growth = growth_of(reach_layers(graph).suffixes[0], graph)
    return None if growth is None else torch.stack(list(growth.frontier.values())).sum(0)


@pytest.mark.parametrize("name", AFTER)
def test_no_change_grows_more(name: str, place: Place) -> None:
    torch.manual_seed(0)
    images, after = torch.randn(3, 3, 8, 8), AFTER[name].eval()
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), after, nn.Conv2d(4, 2, 1), nn.Flatten(), nn.LazyLinear(5))
    with torch.inference_mode(False):
        network(images)
    images = place(images)
    growth = growth_after(place(network), images)
    assert growth is not None
    z = network[0](images).detach()
    for trial in range(200):
        change = place(torch.randn(3, 4, 8, 8) * (torch.rand(3, 4, 8, 8) < 0.05) * 10.0 ** (trial % 4 - 2))
        grown = (after(z + change) - after(z)).detach().flatten(2).norm(dim=2)
        assert (grown <= growth * change.flatten(2).norm(dim=2) * (1 + 1e-4) + 1e-5).all()


def test_what_is_added_twice_counts_twice(place: Place) -> None:
    network = place(nn.Sequential(Residual(), nn.Conv2d(4, 2, 1), nn.Flatten(), nn.Linear(2 * 64, 5)))
    growth = growth_after(network, place(torch.randn(3, 3, 8, 8)))
    assert growth is not None
    torch.testing.assert_close(growth, place(torch.full((4,), 2.0)))


class Gated(nn.Module):
    """A channel times one that the fault does not reach: by how much is not known."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.other = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.other(x)


def test_what_has_no_known_factor(place: Place) -> None:
    network = place(nn.Sequential(Gated(), nn.Conv2d(4, 2, 1), nn.Flatten(), nn.Linear(2 * 64, 5)))
    assert growth_after(network, place(torch.randn(3, 3, 8, 8))) is None
