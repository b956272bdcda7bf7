"""Networks that answer otherwise each time are refused, naming the module; those that do not are left alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import InputError
from engine.injection.check.steady import check_steady

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.injection.networks import Place

pytestmark = pytest.mark.usefixtures("one_thread")


class Network(nn.Module):
    """Two layers, with something between them."""

    def __init__(self, between: nn.Module | Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.between, self.head = nn.Conv2d(3, 8, 3), between, nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, 5]."""
        return self.head(self.between(self.conv(images)).relu().mean((2, 3)))


class Counting(nn.Module):
    """Keeps state between runs."""

    runs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("runs", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """`x`, more of it each time."""
        self.runs += 1
        return x * self.runs


class Forgetful(nn.Dropout):
    """A dropout that `eval()` does not reach."""

    def train(self, mode: bool = True) -> Forgetful:  # noqa: ARG002 - that is the point
        """Stay in training mode."""
        return super().train(True)


def shuffled_channels(x: Tensor) -> Tensor:
    order = list(range(x.shape[1]))
    random.shuffle(order)
    return x[:, order]


UNSTEADY: dict[str, tuple[nn.Module | Callable[[Tensor], Tensor], str]] = {
    "functional dropout": (lambda x: F.dropout(x, 0.2), r"Network draws random numbers"),
    "a dropout of one in a million": (lambda x: F.dropout(x, 1e-6), r"Network draws random numbers"),
    "numpy's noise": (lambda x: x + float(np.random.rand()), r"Network draws random numbers"),
    "python's noise": (shuffled_channels, r"Network draws random numbers"),
    "dropout in training mode": (Forgetful(0.5), r"between \(Forgetful\) draws random numbers"),
    "batch statistics": (nn.BatchNorm2d(8, track_running_stats=False), r"between \(BatchNorm2d\).*the other images"),
    "the mean of the batch": (lambda x: x - x.mean(0, keepdim=True), r"Network.*the other images"),
    "a place in the batch": (
        lambda x: x * torch.arange(len(x), device=x.device).view(-1, 1, 1, 1),
        r"Network.*the order",
    ),
    "the size of the batch": (lambda x: x * len(x), r"Network.*the size of the batch"),
    "state between runs": (Counting(), r"between \(Counting\).*from run to run"),
}


@pytest.mark.parametrize("what", UNSTEADY)
def test_other_answers_without_a_fault_are_refused_naming_the_module(what: str, place: Place) -> None:
    between, sentence = UNSTEADY[what]
    torch.manual_seed(0)
    with pytest.raises(InputError, match=rf"\[model\]: the network's answers differ without a fault: .*{sentence}"):
        check_steady(place(Network(between).eval()), place(torch.rand(8, 3, 6, 6)))


@pytest.mark.parametrize(
    "between",
    [nn.BatchNorm2d(8), nn.Dropout(0.5), nn.InstanceNorm2d(8), nn.ReLU(inplace=True), lambda x: F.dropout(x, 0.0)],
)
def test_a_steady_network_passes_and_is_left_as_it_was(
    between: nn.Module | Callable[[Tensor], Tensor], place: Place
) -> None:
    torch.manual_seed(0)
    network, images = place(Network(between).eval()), place(torch.rand(8, 3, 6, 6))
    before, given = {name: value.clone() for name, value in network.state_dict().items()}, images.clone()
    check_steady(network, images)
    assert torch.equal(images, given)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_an_input_that_is_overwritten_is_the_networks_own(place: Place) -> None:
    def centred(x: Tensor) -> Tensor:
        x -= 0.5
        return x

    class Centring(nn.Module):
        """Overwrites the images that it is given."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = Network(nn.Identity())

        def forward(self, images: Tensor) -> Tensor:
            """Logits [n, 5]."""
            return self.inner(centred(images))

    check_steady(place(Centring().eval()), place(torch.rand(8, 3, 6, 6)))
