"""The fast method against the exact one: the same critical pairs, with the same prediction, whatever the rounding."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.fast.block import FastBlock
from engine.injection.injection import Injection
from engine.injection.network.layers import injectable_modules
from engine.injection.outcomes import WeightFaults
from engine.models import load_model
from tests.engine.injection.networks import assert_same_critical_pairs, every_bit_in, judged_logits, outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor, nn

    from engine.injection.outcomes import Outcomes

MEMORY = 5 * 10**8


def lenet5(images: int) -> tuple[nn.Module, Tensor]:
    """The bundled network and bundled images, a network of its own for each test."""
    dataset = load_dataset(DatasetConfig(name="mnist"))
    return load_model(ModelConfig(arch="lenet5"), dataset).model, torch.from_numpy(dataset.batch(np.arange(images)))


def assert_rest_is_rounding(fast: list[Outcomes], exact: list[Outcomes], logits: Tensor, golden: Tensor) -> None:
    """Where only one says masked, the faulty logits [faults, images, classes] are golden's but for rounding."""
    ours, theirs = (np.concatenate([part.severity for part in outcomes]) for outcomes in (fast, exact))
    differs = torch.from_numpy(ours != theirs)
    assert ((logits - golden)[differs].abs() < 1e-5 * golden.abs().max()).all()


def test_lenet5_every_layer_every_bit() -> None:
    model, images = lenet5(256)
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    assert 0 < fast.measured["tau"] < 1e-4
    for layer in range(5):
        faults = every_bit_in(model, layer, weights=12, seed=layer)
        ours, theirs = outcomes_of(fast, images, faults), outcomes_of(exact, images, faults)
        assert_same_critical_pairs(ours, theirs)
        assert_rest_is_rounding(ours, theirs, judged_logits(model, images, faults), model(images).detach())


@pytest.mark.parametrize("brightness", [1.0, 30.0])
def test_values_around_overflow(brightness: float) -> None:
    """Whether a result is finite there depends on the order of its sum: `exact` says, wherever it can matter."""
    model, images = lenet5(64)
    images = brightness * images
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    sizes = 10.0 ** np.arange(31, 38.6, 0.25)
    for layer, (_, module) in enumerate(injectable_modules(model)):
        weights = np.random.default_rng(layer).choice(module.weight.numel(), 6, replace=False).repeat(2 * len(sizes))
        values = np.tile(np.concatenate([sizes, -sizes]), 6).astype(np.float32)
        count = len(values)
        changes = np.ones(count, dtype=bool)
        faults = WeightFaults(np.arange(count), np.full(count, layer, dtype=np.int32), weights, values, changes)
        ours, theirs = outcomes_of(fast, images, faults), outcomes_of(exact, images, faults)
        assert_same_critical_pairs(ours, theirs)
        nonfinite = np.concatenate([part.nonfinite for part in theirs])
        assert 0 < np.count_nonzero(nonfinite) < len(nonfinite)


def test_resnet20_every_layer_every_bit(shared_data: Path) -> None:
    dataset = load_dataset(DatasetConfig(name="cifar10", path=shared_data / "cifar10"))
    config = ModelConfig(arch="resnet20", weights=shared_data / "weights" / "resnet20-cifar10.th")
    model, images = load_model(config, dataset).model, torch.from_numpy(dataset.batch(np.arange(16)))
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    for layer in range(20):
        faults = every_bit_in(model, layer, weights=1, seed=layer)
        assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))


def test_ties_go_to_the_lowest_class() -> None:
    """Two classes with the same weights tie for every image: rounding must not choose between them."""
    model, images = lenet5(64)
    head = injectable_modules(model)[4][1]
    assert head.bias is not None
    top = int(model(images[:1]).argmax())
    twin = (top + 1) % 10
    head.weight.data[twin] = head.weight.data[top]
    head.bias.data[twin] = head.bias.data[top]
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    assert exact.load(images).logits.topk(2).values.diff().eq(0).any(), "no image has a tie"
    for layer in range(5):
        faults = every_bit_in(model, layer, weights=6)
        assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))


def test_a_pair_that_the_rest_of_the_network_hides_is_masked() -> None:
    """What changes one feature map alone, and no weight reads that map: golden's logits, not almost golden's."""
    model, images = lenet5(64)
    conv2 = injectable_modules(model)[1][1]
    conv2.weight.data[:, 3] = 0
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    faults = every_bit_in(model, 0, weights=150)
    in_map = faults.take(np.flatnonzero((faults.weight_index // 25 == 3) & np.isfinite(faults.value)))
    finite = in_map.take(np.flatnonzero(np.abs(in_map.value) < 1e6))
    for injection in (exact, fast):
        assert all((outcomes.severity == 0).all() for outcomes in outcomes_of(injection, images, finite))


@pytest.mark.parametrize("hidden", [7, 8])
def test_where_places_in_the_batch_matter_exact_decides(hidden: int) -> None:
    """A linear layer with an odd number of inputs has other bits in other rows of a batch."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(48, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 5)
    )
    images = torch.randn(32, 3, 4, 4)
    exact, fast = Injection(model, images, 10**7, "exact"), Injection(model, images, 10**7, "fast")
    for layer in range(2):
        faults = every_bit_in(model, layer, weights=4)
        assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))


@pytest.mark.usefixtures("without_garbage_collection")
def test_a_block_is_let_go_of_with_its_last_reference() -> None:
    """What is kept for the next faults of a layer must not keep the block: it is most of the memory."""
    model, images = lenet5(64)
    fast = Injection(model, images, MEMORY, "fast")
    block = fast.load(images)
    for layer in range(5):
        assert list(fast.inject(block, every_bit_in(model, layer, weights=2)))
    assert isinstance(block, FastBlock)
    assert block.updates, "nothing is kept"
    gone = weakref.ref(block)
    del block
    assert gone() is None, gc.get_referrers(gone())


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()
