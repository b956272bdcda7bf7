"""Faults in several weights, against the naive loop that flips them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.formats.float32 import FLOAT32
from engine.injection.injection import Injection
from engine.injection.network.layers import flat_weight, injectable_modules
from engine.injection.outcomes import Sites, WeightFaults
from tests.engine.injection.networks import LogitsRecorder, judged_logits, same_to_the_bit

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place

pytestmark = pytest.mark.usefixtures("one_thread", "little_measured")

MEMORY = 2 * 10**7
FAULTS = 12


class Net(nn.Module):
    """Convolutions with a norm, a skip and a depthwise layer, then linear ones."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.hidden = nn.Linear(6 * 16, 8)
        self.head = nn.Linear(8, 5)
        self.norm.running_var = torch.rand(4) + 0.5
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.first(images))
        x = F.relu(self.second(self.norm(self.depthwise(x)) + x))
        return self.head(torch.relu(self.hidden(x.flatten(1))))


def flips(model: nn.Module, layers: list[int], sites: list[tuple[int, int, int]], seed: int) -> WeightFaults:
    """FAULTS faults that flip a bit of as many weights as there are sites, where those say.

    Args:
        model: the network.
        layers: of the first site of every fault, one after the other.
        sites: (layer, channel, bit) of each further one: -1 for the first site's own layer or channel, 32 for any bit.
        seed: of the choice of weights and bits.
    """
    generator = np.random.default_rng(seed)
    modules = [module for _, module in injectable_modules(model)]
    rows: list[tuple[int, int, int, np.float32]] = []
    for fault in range(FAULTS):
        home = layers[fault * len(layers) // FAULTS]
        own = int(generator.integers(len(modules[home].weight)))
        taken: set[tuple[int, int]] = set()
        for layer, channel, bit in [(home, own, 32), *sites]:
            module = modules[home if layer < 0 else layer]
            number = modules.index(module)
            per_channel = module.weight[0].numel()
            first = (own if channel < 0 else channel) % len(module.weight) * per_channel
            free = [place for place in range(first, first + per_channel) if (number, place) not in taken]
            place = int(generator.choice(free))
            taken.add((number, place))
            golden = flat_weight(module.weight)[[place]]
            chosen = np.array([bit if bit < 32 else generator.integers(32)], dtype=np.uint8)
            rows.append((fault, number, place, FLOAT32.faulty_values(golden, chosen, np.full(1, -1, np.int8))[0]))
    count = 1 + len(sites)
    faults_of, layer_of, place_of, value = (np.array(column) for column in zip(*rows, strict=True))
    firsts, others = np.arange(0, len(rows), count), np.flatnonzero(np.arange(len(rows)) % count)
    more = Sites(
        faults_of[others], layer_of[others].astype(np.int32), place_of[others], value[others].astype(np.float32)
    )
    return WeightFaults(
        np.arange(FAULTS),
        layer_of[firsts].astype(np.int32),
        place_of[firsts],
        value[firsts].astype(np.float32),
        np.ones(FAULTS, dtype=bool),
        more,
    )


def network_and_images(seed: int, place: Place) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(seed)
    return place(Net()), place(torch.randn(32, 3, 8, 8))


SITES = st.lists(
    st.tuples(st.sampled_from([-1, -1, -1, 0, 2, 4]), st.sampled_from([-1, -1, 0, 1]), st.sampled_from([32, 30, 31])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=1), SITES, st.integers(0, 2**31 - 1))
def test_exact_is_naive_to_the_bit(
    place: Place, layers: list[int], sites: list[tuple[int, int, int]], seed: int
) -> None:
    model, images = network_and_images(seed, place)
    faults = flips(model, layers, sites, seed)
    with torch.inference_mode():
        expected = judged_logits(model, images, faults)
    injection = Injection(model, images, MEMORY, "exact")
    block = injection.load(images)
    recorder = LogitsRecorder(len(faults), block.logits)
    injection.replay(block, layers[0], faults, recorder)
    assert recorder.recorded.max() <= 1
    assert same_to_the_bit(recorder.logits, expected)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), SITES, st.integers(0, 2**31 - 1))
def test_fast_finds_the_critical_pairs_of_naive(
    place: Place, layers: list[int], sites: list[tuple[int, int, int]], seed: int
) -> None:
    model, images = network_and_images(seed, place)
    faults = flips(model, sorted(layers), sites, seed)
    with torch.inference_mode():
        logits, golden = judged_logits(model, images, faults), model(images)
    critical = (logits.argmax(2) != golden.argmax(1)) | ~logits.isfinite().all(2)
    injection = Injection(model, images, MEMORY, "fast")
    outcomes = list(injection.inject(injection.load(images), faults))
    assert [int(position) for part in outcomes for position in part.positions] == list(range(FAULTS))
    found = torch.from_numpy(np.concatenate([part.severity for part in outcomes]) == 2)
    assert torch.equal(found, critical.cpu())


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_changes_that_cancel_are_no_less_exact(method: str, place: Place) -> None:
    """Two huge changes of opposite sign on equal inputs: what is left of them is rounding, not their size."""
    model, images = network_and_images(0, place)
    images[:, 1] = images[:, 0]
    huge = np.array([3e8, 3e20, 3e30], dtype=np.float32)
    count, per_input = len(huge), 9
    first = Sites(np.arange(count), np.zeros(count, np.int32), np.full(count, per_input + 4), -huge)
    faults = WeightFaults(
        np.arange(count), np.zeros(count, np.int32), np.full(count, 4), huge, np.ones(count, dtype=bool), first
    )
    with torch.inference_mode():
        logits, golden = judged_logits(model, images, faults), model(images)
    critical = (logits.argmax(2) != golden.argmax(1)) | ~logits.isfinite().all(2)
    injection = Injection(model, images, MEMORY, method)
    outcomes = list(injection.inject(injection.load(images), faults))
    found = torch.from_numpy(np.concatenate([part.severity for part in outcomes]) == 2)
    assert torch.equal(found, critical.cpu())


def test_rows_are_taken_with_their_sites(place: Place) -> None:
    model, _ = network_and_images(0, place)
    faults = flips(model, [1], [(-1, -1, 32), (2, 0, 32)], 0)
    assert faults.more is not None
    taken = faults.take(np.array([5, 2]))
    assert taken.more is not None
    assert taken.more.fault.tolist() == [0, 0, 1, 1]
    assert taken.more.value.tolist() == [*faults.more.value[10:12], *faults.more.value[4:6]]
    assert taken.more.layer.tolist() == [1, 2, 1, 2]
    joined = faults.take(slice(0, 1)).joined(taken)
    assert joined.more is not None
    assert joined.more.fault.tolist() == [0, 0, 1, 1, 2, 2]
    alone = WeightFaults(
        *(getattr(faults, name) for name in ("positions", "layer", "weight_index", "value", "changes"))
    )
    both = alone.joined(faults)
    assert both.more is not None
    assert both.more.fault.tolist() == (faults.more.fault + FAULTS).tolist()
    assert alone.take(slice(2, 4)).more is None
