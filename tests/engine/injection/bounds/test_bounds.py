"""What settles pairs without a run: bounds that no change breaks, and pairs that naive calls non-critical too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.bounds.change_bound import change_bound_of, class_pairs
from engine.injection.injection import Injection
from engine.injection.network.folded import fold_layers
from engine.injection.network.folded_suffix import FoldedSuffix, fold_suffix
from engine.injection.network.traced import TracedNetwork, trace
from engine.injection.recording import SeverityMatrix
from engine.models import load_model
from tests.engine.injection.networks import every_bit_in, judged_logits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.injection.networks import Place

MEMORY = 5 * 10**8
CLASSES = 4


class Tail(nn.Module):
    """A convolution, then everything that is bounded: norm, activations, a skip, pooling, linear layers."""

    def __init__(self, pool: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.mixing = nn.Conv2d(6, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.pool, self.activation = pool, activation
        self.hidden = nn.Linear(6 * 4 * 4, 9)
        self.head = nn.Linear(9, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.activation(self.first(images))
        x = self.pool(F.relu(self.norm(self.mixing(x)) + x))
        return self.head(self.activation(self.hidden(x.flatten(1))))


def bounded(model: nn.Module, images: torch.Tensor, layer: int) -> tuple[TracedNetwork, FoldedSuffix]:
    traced = trace(model.eval().requires_grad_(False), images)
    folded = fold_layers(traced.network)
    return traced, fold_suffix(traced.suffixes[layer], folded, traced.network)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(4), nn.MaxPool2d(3, 2, 1)])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU6(), nn.Tanh()])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_no_change_reaches_farther(pool: nn.Module, activation: nn.Module, layer: int, place: Place) -> None:
    torch.manual_seed(layer)
    model, images = place(Tail(pool, activation)), place(torch.randn(32, 3, 8, 8))
    traced, suffix = bounded(model, images, layer)
    reach = change_bound_of(suffix, traced.network)
    assert reach is not None
    network = traced.network
    golden = network.run(images, set(network.nodes))
    (node,) = suffix.suffix.frontier
    for size in (1e-3, 1.0, 100.0):
        change = torch.randn_like(golden[node]) * size
        values = dict(golden)
        values[node] = golden[node] + change
        for later in suffix.suffix.dense:
            values[later] = network.evaluate(later, values.__getitem__)
        moved = (values[network.output] - golden[network.output]).double()
        first, second = class_pairs(CLASSES).T
        apart = (moved[:, first] - moved[:, second]).abs()
        bound = torch.einsum("p...,i...->ip", reach[node].double(), change.abs().double())
        assert (apart <= bound * (1 + 1e-5) + 1e-5).all()


def doubled(x: torch.Tensor) -> torch.Tensor:
    return x + x


class Summing(nn.Module):
    """Adds values in one of the ways in which people write it; all of it is linear, so that the worst is known."""

    def __init__(self, total: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.first, self.mixing = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.last, self.head = nn.Conv2d(4, 4, 1), nn.Linear(4, CLASSES)
        self.total = total

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.first(images)
        return self.head(self.total(self.last(self.mixing(x)), x).mean((2, 3)))


SUMS: dict[str, tuple[Callable[[torch.Tensor, torch.Tensor], torch.Tensor], bool]] = {
    "sum": (lambda y, x: y + x, True),
    "to itself": (lambda y, _x: y + y, True),
    "to itself, over and over": (lambda y, _x: doubled(doubled(doubled(y))), True),
    "by a function": (lambda y, _x: torch.add(y, y), True),
    "difference": (lambda y, x: x - y, True),
    "difference by a method": (lambda y, x: y.sub(x), True),
    "with a constant": (lambda y, _x: 3 - y, True),
    "alpha": (lambda y, x: torch.add(x, y, alpha=5), False),
    "alpha by a method": (lambda y, x: x.sub(y, alpha=5), False),
    "by names": (lambda y, x: torch.add(input=x, other=y), False),
    "scaled": (lambda y, x: 5 * y + x, False),
    "repeated": (lambda y, _x: torch.cat([y, y], 1)[:, 2:6], False),
    "stacked": (lambda y, x: torch.stack([y, x, y], 1).sum(1), False),
    "over places": (lambda y, x: x + y.mean((2, 3), keepdim=True), True),
    "over channels": (lambda y, x: x + y.mean(1, keepdim=True), True),
}
"""and whether they are known to be bounded: whatever is not proved is not"""


@pytest.mark.parametrize("way", SUMS)
@pytest.mark.parametrize("layer", [0, 1])
def test_whatever_is_added_is_bounded_or_has_no_bound(way: str, layer: int, place: Place) -> None:
    torch.manual_seed(0)
    total, is_bounded = SUMS[way]
    images = place(torch.randn(8, 3, 6, 6))
    traced, suffix = bounded(place(Summing(total)), images, layer)
    reach = change_bound_of(suffix, traced.network)
    if layer == 0:
        assert (reach is not None) == is_bounded
    if reach is None:
        return
    network, frontier = traced.network, list(suffix.suffix.frontier)
    golden = network.run(images, set(network.nodes))

    def logits_after(changed: list[torch.Tensor]) -> torch.Tensor:
        values = golden | dict(zip(frontier, changed, strict=True))
        for later in suffix.suffix.dense:
            values[later] = network.evaluate(later, values.__getitem__)
        logits: torch.Tensor = values[network.output]
        return logits

    first, second = class_pairs(CLASSES).T
    leaves = [golden[node].clone().requires_grad_() for node in frontier]
    lead = logits_after(leaves)[:, [0, 1]].diff(dim=1).sum()
    worst = [gradient.sign() for gradient in torch.autograd.grad(lead, leaves)]
    changed = [golden[node] + change for node, change in zip(frontier, worst, strict=True)]
    moved = (logits_after(changed) - golden[network.output]).double()
    bounds = (
        torch.einsum("p...,i...->ip", reach[node].double(), change.abs().double())
        for node, change in zip(frontier, worst, strict=True)
    )
    assert ((moved[:, first] - moved[:, second]).abs() <= sum(bounds) * (1 + 1e-5) + 1e-5).all()


def test_the_bound_is_reached_where_nothing_bends(place: Place) -> None:
    """One linear layer after the change: no bound could be smaller."""
    model, images = place(Tail(nn.MaxPool2d(2), nn.ReLU())), place(torch.randn(4, 3, 8, 8))
    traced, suffix = bounded(model, images, 2)
    reach = change_bound_of(suffix, traced.network)
    assert reach is not None
    (coefficients,) = reach.values()
    pairs = class_pairs(CLASSES)
    weight = model.head.weight
    torch.testing.assert_close(coefficients, (weight[pairs[:, 0]] - weight[pairs[:, 1]]).abs())


class Unbounded(nn.Module):
    """Multiplies two changed values: no coefficient bounds that."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mixing, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1), nn.Linear(4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.mixing(self.first(images))
        return self.head((x * x).mean((2, 3)))


def test_what_is_not_bounded_has_no_reach(place: Place) -> None:
    traced, suffix = bounded(place(Unbounded()), place(torch.randn(4, 3, 8, 8)), 0)
    assert change_bound_of(suffix, traced.network) is None


class Settled(SeverityMatrix):
    """Remembers what was settled without a run."""

    def __init__(self, faults: int, golden_logits: torch.Tensor) -> None:
        super().__init__(faults, golden_logits)
        self.without_run = torch.zeros(faults, len(golden_logits), dtype=torch.bool, device=golden_logits.device)

    def record_bounded(
        self, faults: torch.Tensor, images: slice, severity: torch.Tensor, doubt: torch.Tensor | None
    ) -> None:
        super().record_bounded(faults, images, severity, doubt)
        self.without_run[:, images].index_copy_(0, faults, severity)


@pytest.fixture(scope="module")
def fast_lenet5(place: Place) -> tuple[nn.Module, torch.Tensor, Injection]:
    """The bundled network, 128 images, and `fast` on both."""
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = place(load_model(ModelConfig(arch="lenet5"), dataset).model)
    images = place(torch.from_numpy(dataset.batch(slice(0, 128))))
    return model, images, Injection(model, images, MEMORY, "fast")


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_lenet5_settled_pairs_are_non_critical(
    fast_lenet5: tuple[nn.Module, torch.Tensor, Injection], layer: int
) -> None:
    model, images, injection = fast_lenet5
    faults = every_bit_in(model, layer, weights=6, seed=layer)
    block = injection.load(images)
    recorder = Settled(len(faults), block.logits)
    injection.replay(block, layer, faults, recorder)
    settled = recorder.without_run
    assert settled.float().mean() > 0.05, "nothing is settled: the test shows nothing"
    logits, golden = judged_logits(model, images, faults)[settled], block.logits.expand(len(faults), -1, -1)[settled]
    assert torch.equal(logits.argmax(1), golden.argmax(1))
    assert (logits == golden).all(1).float().mean() < 0.01, "masked pairs were settled as non-critical"
