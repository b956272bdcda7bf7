"""What can be added from outside: an injection method, and a source of changed values."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.injection.check.self_check import Extent, check
from engine.injection.exact.method import ExactMethod
from engine.injection.fast.block import FastBlock
from engine.injection.fast.method import FastMethod, fast_methods
from engine.injection.injection import Injection
from engine.injection.method import Method
from engine.injection.methods import METHODS, MethodEntry
from engine.injection.network.traced import trace
from engine.injection.pairs import Pairs
from tests.engine.injection.networks import LogitsRecorder, every_bit_in, outcomes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import fx

    from engine.injection.network.channels import ChannelMap
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import WeightFaults
    from engine.injection.recording import Recorder
    from tests.engine.injection.networks import Place

MEMORY = 10**7


class Plain(Method):
    """A method of one function: the whole graph again for each fault."""

    name = "plain"
    is_bit_equal = True

    def __init__(self, traced: TracedNetwork) -> None:
        self._traced = traced

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        network = self._traced.network
        images = torch.arange(block.count, device=block.logits.device)
        for row in np.flatnonzero(faults.changes):
            weight = network.layers[layer].weight.data.view(-1)
            golden = weight[faults.weight_index[row]].clone()
            weight[faults.weight_index[row]] = float(faults.value[row])
            logits = network.run(block.images, {network.output})[network.output]
            weight[faults.weight_index[row]] = golden
            recorder.record(torch.full_like(images, int(row)), images, logits[: block.count])


def plain_methods(traced: TracedNetwork) -> Sequence[Method]:
    return (Plain(traced),)


@pytest.fixture
def model(place: Place) -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
    plain = nn.Sequential(*layers).eval()
    plain.requires_grad_(False)
    return place(plain)


@pytest.fixture
def images_of(place: Place) -> Callable[[int, int], Tensor]:
    """So many images of a turn."""
    return lambda count, turn: place(torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(turn)))


def test_a_method_is_one_class_and_one_line(
    model: nn.Sequential, images_of: Callable[[int, int], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.injection.workers._MOST_WORKERS", 1)  # `Plain` changes weights that all workers read
    entry = MethodEntry("plain", "is the graph run again", True, f"{__name__}:plain_methods")
    monkeypatch.setitem(METHODS, entry.name, entry)
    untouched = deepcopy(model)
    plain, exact = (Injection(model, images_of(32, 0), MEMORY, method) for method in ("plain", "exact"))
    assert plain.method_of(0) == "plain"
    for layer in range(2):
        faults = every_bit_in(model, layer, weights=3)
        for ours, theirs in zip(*(outcomes_of(each, images_of(32, 1), faults) for each in (plain, exact)), strict=True):
            np.testing.assert_array_equal(ours.severity, theirs.severity)
    assert check(plain, untouched, images_of, Extent(pairs=200)).differences == 0
    assert plain.fall_back(0)
    assert plain.method_of(0) == "whole network"


class DeadChannels:
    """A source of pairs that no weight is behind: a channel of a layer's output that is 0 for every image."""

    def __init__(self, block: GoldenBlock, frontier: dict[fx.Node, ChannelMap], is_difference: bool) -> None:
        self._block = block
        ((self._node, self._map),) = frontier.items()
        self._is_difference = is_difference

    def run(self, faults: list[int], recorder: Recorder) -> Iterator[Pairs]:  # noqa: ARG002 - as a PairSource
        golden = self._map.apart(self._block.values[self._node])[: self._block.count]
        images = torch.arange(self._block.count, device=golden.device)
        for row, channel in enumerate(faults):
            changed = -golden[:, channel] if self._is_difference else torch.zeros_like(golden[:, channel])
            same = torch.full_like(images, channel)
            yield Pairs(torch.full_like(images, row), images, same, {self._node: changed})


def expected_logits(model: nn.Sequential, images: Tensor) -> Tensor:
    """Logits [4, images, classes] where each channel after the first convolution is 0."""
    values = model[1](model[0](images))
    logits = []
    for channel in range(4):
        faulty = values.clone()
        faulty[:, channel] = 0
        logits.append(model[3](faulty.flatten(1)))
    return torch.stack(logits)


class Seen(LogitsRecorder):
    """Also the pairs that are known to be safe without their logits."""

    def __init__(self, faults: int, golden: Tensor) -> None:
        super().__init__(faults, golden)
        self.safe = torch.zeros(faults, len(golden), dtype=torch.bool, device=golden.device)

    def record_certain(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002
        self.safe[faults, images] = True


def started(model: nn.Module, images: Tensor) -> tuple[FastMethod, ExactMethod, FastBlock]:
    """The methods of an injection, and a block of it."""
    injection = Injection(model, images, MEMORY, "fast")
    fast, exact, _ = injection._ladder
    assert isinstance(fast, FastMethod)
    assert isinstance(exact, ExactMethod)
    block = injection.load(images)
    assert isinstance(block, FastBlock)
    return fast, exact, block


def test_another_source_of_changed_values_feeds_the_dense_stages(
    model: nn.Sequential, images_of: Callable[[int, int], Tensor]
) -> None:
    images = images_of(32, 0)
    fast, exact, block = started(model, images)
    frontier = fast._suffixes[0].suffix.frontier
    expected = expected_logits(model, images)
    channels = [0, 1, 2, 3]
    recorder = LogitsRecorder(4, block.logits)
    with torch.inference_mode():
        exact.run_source(DeadChannels(block, frontier, is_difference=False), block, 0, channels, recorder)
    torch.testing.assert_close(recorder.logits, expected)
    assert (recorder.recorded == 1).all()
    seen = Seen(4, block.logits)
    with torch.inference_mode():
        close = fast.run_source(DeadChannels(block, frontier, is_difference=True), block, 0, channels, seen)
    undecided = torch.zeros(4, len(images), dtype=torch.bool, device=images.device)
    if close is not None:
        undecided[close.fault, close.image] = True
    told = torch.where(seen.recorded > 0, seen.logits.argmax(2), block.logits.argmax(1))
    assert (undecided | (told == expected.argmax(2))).all()
    assert (seen.safe | (seen.recorded > 0) | undecided).all()


def test_the_methods_of_fast_are_fast_and_then_exact(
    model: nn.Sequential, images_of: Callable[[int, int], Tensor]
) -> None:
    names = [method.name for method in fast_methods(trace(model, images_of(4, 0)))]
    assert names == ["fast", "exact"]
