"""Golden values of a block, run in parts by the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.injection import Injection
from engine.injection.network.golden import golden_block, take_rows
from engine.injection.network.graph import Network
from engine.injection.workers import Workers
from engine.models import load_model
from tests.engine.injection.networks import every_bit_in, judged_logits, replayed_logits, same_to_the_bit

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place


class CountsRows(nn.Module):
    """Flattens by the number of its images, after channels mix."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 3)
        self.head = nn.Linear(2 * 8 * 8, 4)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.size(0)
        return self.head(self.second(torch.relu(self.first(x))).view(rows, -1))


def test_parts_are_the_whole_to_the_bit(place: Place) -> None:
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = place(load_model(ModelConfig(arch="lenet5"), dataset).model)
    images = place(torch.from_numpy(dataset.batch(np.arange(60))))
    network = Network(model.eval())
    keep = set(network.nodes) - {network.output}
    with torch.inference_mode():
        whole = golden_block(network, images, 64, keep, 64, Workers(2, torch.get_num_threads()))
        parts = golden_block(network, images, 64, keep, 16, Workers(2, torch.get_num_threads()))
    assert parts.count == 60
    assert torch.equal(parts.logits, whole.logits)
    assert set(parts.values) == set(network.nodes)
    for node, value in whole.values.items():
        assert torch.equal(parts.values[node], value), node.name


def test_a_network_that_counts_its_rows_is_run_whole(place: Place) -> None:
    """A part would have counted its own."""
    torch.manual_seed(0)
    model = place(CountsRows().eval().requires_grad_(False))
    images = place(torch.rand(32, 1, 12, 12))
    injection = Injection(model, images, 10**9, "exact")
    assert injection.notes == []
    block = injection.load(images)
    assert [value for value in block.values.values() if not isinstance(value, Tensor)] == [32]
    for layer in range(3):
        faults = every_bit_in(model, layer, weights=2)
        assert same_to_the_bit(replayed_logits(injection, block, faults), judged_logits(model, images, faults))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 3, 1, 2), (1, 0, 2, 3), (2, 3, 0, 1)])
def test_rows_lie_in_memory_as_what_they_are_taken_from(order: tuple[int, ...], place: Place) -> None:
    value = place(torch.rand(5, 6, 7, 8)).permute(order)
    rows = torch.tensor([3, 0, 3], device=value.device)
    taken = take_rows(value, rows)
    assert torch.equal(taken, value[rows])
    assert sorted(range(4), key=taken.stride) == sorted(range(4), key=value.stride)


class ChannelsLast(nn.Module):
    """Asks for another order in memory, in which a convolution rounds otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu().contiguous(memory_format=torch.channels_last)
        return self.head(self.second(x).relu().mean((2, 3)))


@pytest.mark.usefixtures("one_thread")
def test_a_replayed_value_keeps_its_order_in_memory(place: Place) -> None:
    torch.manual_seed(0)
    net, images = place(ChannelsLast().eval().requires_grad_(False)), place(torch.rand(13, 3, 16, 16))
    injection = Injection(net, images, 10**7, "exact")
    block = injection.load(images)
    faults = every_bit_in(net, 0, weights=8)
    expected = judged_logits(net, block.images, faults)[:, : block.count]
    assert same_to_the_bit(replayed_logits(injection, block, faults), expected)
