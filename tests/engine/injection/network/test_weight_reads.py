"""Weights that are read by other ways than calling their layer: no copy and no graph loses a fault in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from engine.injection.injection import Injection
from engine.injection.network.layers import injectable_modules
from engine.injection.network.weight_reads import WeightReads, untouched_copy
from tests.engine.injection.networks import every_bit_in, judged_logits, replayed_logits, same_to_the_bit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.injection.networks import Place

pytestmark = pytest.mark.usefixtures("one_thread")


class Plain(nn.Module):
    """Three layers; `side` is used by whatever a subclass does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.side = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, 5]."""
        return self.head(self.middle(self.first(images)).relu().mean((2, 3)))

    def middle(self, x: Tensor) -> Tensor:
        """What differs."""
        return self.side(x)


class HookOfAClosure(Plain):
    """An adapter, added by a hook that has the network at hand: a copy's hook reads the network's own adapter."""

    def __init__(self) -> None:
        super().__init__()
        self.first.register_forward_hook(lambda _module, _read, gave: gave + self.side(gave))

    def middle(self, x: Tensor) -> Tensor:
        return x


class HookOfAMethod(Plain):
    """The same by a method, which is copied with the network; the graph shows the hooked layer alone."""

    def __init__(self) -> None:
        super().__init__()
        self.first.register_forward_hook(self.adapt)

    def adapt(self, _module: nn.Module, _read: Any, gave: Tensor) -> Tensor:
        """A hook."""
        return gave + self.side(gave)

    def middle(self, x: Tensor) -> Tensor:
        return x


class ForwardOfAClosure(Plain):
    """A layer whose forward was replaced, as libraries that change networks do."""

    def __init__(self) -> None:
        super().__init__()
        plain = self.first.forward
        self.first.forward = lambda images: plain(images) + self.side(plain(images))  # type: ignore[method-assign, assignment]

    def middle(self, x: Tensor) -> Tensor:
        return x


class Closure(Plain):
    """An attribute made by `lambda`."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: Callable[[Tensor], Tensor] = lambda x: torch.conv2d(x, self.side.weight)

    def middle(self, x: Tensor) -> Tensor:
        return self.closed(x)


class KeptByAHook(Plain):
    """Takes what a hook has kept: where the hook writes and where a copy looks are not the same."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Tensor] = {}
        self.side.register_forward_hook(lambda _module, _read, gave: self.kept.update(side=gave))

    def middle(self, x: Tensor) -> Tensor:
        self.side(x)
        return self.kept["side"]


class ByStateDict(Plain):
    """Reads a weight as a tensor, which the graph holds as a constant."""

    def middle(self, x: Tensor) -> Tensor:
        return self.side(x) / self.side.state_dict()["weight"].abs().max()


class ByParameters(Plain):
    def middle(self, x: Tensor) -> Tensor:
        return self.side(x) if float(next(self.side.parameters()).flatten()[5]) > 0 else -self.side(x)


CLOSURES = [HookOfAClosure, ForwardOfAClosure, Closure, KeptByAHook]


def network(kind: type[Plain], place: Place) -> Plain:
    torch.manual_seed(0)
    net = place(kind().eval().requires_grad_(False))
    net(place(torch.zeros(2, 3, 6, 6)))  # as the network is tried out when it is loaded
    return net


@pytest.mark.parametrize("kind", [Plain, HookOfAMethod, *CLOSURES, ByStateDict, ByParameters])
def test_no_fault_is_lost(kind: type[Plain], place: Place) -> None:
    """Compared with a network that was made anew: a copy may itself be what is wrong."""
    images = place(torch.rand(13, 3, 6, 6))
    injection = Injection(network(kind, place), images, 10**6, "exact")
    other = network(kind, place)
    block = injection.load(images)
    for layer, _ in enumerate(injectable_modules(other)):
        faults = every_bit_in(other, layer, weights=6)
        expected = judged_logits(other, block.images, faults)[:, : block.count]
        assert same_to_the_bit(replayed_logits(injection, block, faults), expected), injection.names[layer]


@pytest.mark.parametrize("kind", CLOSURES)
def test_there_is_no_copy_where_it_would_not_be_all_its_own(kind: type[Plain], place: Place) -> None:
    net = network(kind, place)
    assert untouched_copy(net, place(torch.rand(3, 3, 6, 6))) is net


@pytest.mark.parametrize("kind", [Plain, HookOfAMethod, ByStateDict, ByParameters])
def test_an_untouched_copy_is_another_network(kind: type[Plain], place: Place) -> None:
    net = network(kind, place)
    copy, images = untouched_copy(net, place(torch.rand(3, 3, 6, 6))), place(torch.ones(2, 3, 6, 6))
    assert copy is not net
    assert torch.equal(copy(images), net(images))


def test_asking_where_a_weight_lies_is_not_reading_it(place: Place, device: torch.device, dtype: torch.dtype) -> None:
    net = network(Plain, place)
    with WeightReads(net) as reads:
        weight = next(net.parameters())
        assert (weight.device, weight.dtype, weight.shape[0], weight.dim()) == (device, dtype, 4, 4)
    assert not reads.read
    with WeightReads(net) as reads:
        assert next(net.parameters()).max().isfinite()
    assert len(reads.read) == 1
