"""Changes downwards against what there is to lose: which way they go, and that they take no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from engine.injection.network.graph import Network
from engine.injection.network.suffix import reach_layers
from engine.injection.screened.direction import direction_of
from tests.engine.injection.screened.test_growth import norm

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place


class Sum(nn.Module):
    """The layer's output and something else, activated."""

    def __init__(self, is_difference: bool) -> None:
        super().__init__()
        self.norm, self.is_difference = norm(4), is_difference
        self.other = nn.Buffer(torch.full((1, 4, 8, 8), 0.5))

    def forward(self, z: Tensor) -> Tensor:
        normed = self.norm(z)
        return torch.relu(self.other - normed if self.is_difference else normed + self.other)


AFTER = {
    "relu": nn.ReLU(),
    "norm and relu": nn.Sequential(norm(4), nn.ReLU()),
    "two norms": nn.Sequential(norm(4), nn.Tanh(), norm(4), nn.ReLU6()),
    "pools": nn.Sequential(norm(4), nn.ReLU(), nn.MaxPool2d(3, 2), nn.AvgPool2d(2, 1)),
    "sigmoid": nn.Sequential(nn.LeakyReLU(0.2), norm(4), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1)),
    "sum": Sum(is_difference=False),
    "difference": Sum(is_difference=True),
}
WITHOUT_A_FLOOR = {
    "nothing": nn.Identity(),
    "norm after relu": nn.Sequential(nn.ReLU(), norm(4)),
    "silu": nn.SiLU(),
    "leaky": nn.LeakyReLU(0.1),
    "depthwise": nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.ReLU()),
    "a slope that turns round": nn.Sequential(nn.LeakyReLU(-0.5), nn.ReLU()),
    "the other of hardswish": nn.Sequential(nn.Hardswish(), nn.ReLU()),
}


def direction_after(after: nn.Module, images: Tensor, place: Place) -> tuple[nn.Sequential, Tensor | None]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), after, nn.Conv2d(4, 2, 1), nn.Flatten(), nn.LazyLinear(5))
    with torch.inference_mode(False):
        network.eval()(images)
    graph = Network(place(network))
    graph.find_shapes(place(images))
    return network, direction_of(reach_layers(graph).suffixes[0], graph)


@pytest.mark.parametrize("name", AFTER)
def test_a_change_goes_the_way_that_is_told_and_takes_no_more_than_there_is(name: str, place: Place) -> None:
    images = torch.randn(3, 3, 8, 8)
    network, direction = direction_after(AFTER[name].eval(), images, place)
    assert direction is not None
    assert direction.abs().min() == 1
    z = network[0](place(images)).detach()
    for size in (1e-3, 1.0, 1e30):
        golden, faulty = network[1](z), network[1](z + size * torch.rand_like(z))
        rise = (faulty - golden) * direction[None, :, None, None]
        assert (rise >= -1e-5 * golden.abs().max()).all()
        down = -size * direction[None, :, None, None] * torch.rand_like(z)
        lost = golden - network[1](z + down)
        assert (lost <= golden + 1e-6).all(), "nothing falls below zero"


@pytest.mark.parametrize("name", WITHOUT_A_FLOOR)
def test_elsewhere_nothing_is_told(name: str, place: Place) -> None:
    assert direction_after(WITHOUT_A_FLOOR[name].eval(), torch.randn(3, 3, 8, 8), place)[1] is None


def test_a_norm_that_erases_tells_no_direction(place: Place) -> None:
    erasing = norm(4)
    erasing.weight.data[1] = 0
    direction = direction_after(nn.Sequential(erasing, nn.ReLU()), torch.randn(3, 3, 8, 8), place)[1]
    assert direction is not None
    assert direction[1] == 0
