"""The exact method against the naive loop on every network, to the bit.

Where there are no trained weights, they are seeded random ones whose batch-norm statistics are taken from real images,
so that activations have the sizes and the share of zeros that they have in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest
import torch

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.injection import Injection
from engine.injection.network.layers import injectable_modules
from engine.models import load_model
from tests.engine.injection.networks import (
    assert_same_critical_pairs,
    every_bit_in,
    judged_logits,
    measure_little,
    replayed_logits,
    run_small_batches,
    same_to_the_bit,
    seeded,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from tests.engine.injection.networks import Place

    class Check(Protocol):
        """Checks `layers` layers of a network with these images, on the device and in the type that are asked for."""

        def __call__(self, model: nn.Module, images: Tensor, layers: int = 3) -> None: ...


pytestmark = pytest.mark.usefixtures("one_thread", "small_batches")

MEMORY = 10**8
BITS = [2, 22, 28, 30]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch, device: torch.device) -> None:
    """And rounding measured on little, so that a network is ready in seconds."""
    run_small_batches(monkeypatch, device)
    measure_little(monkeypatch)


@pytest.fixture(scope="module")
def digits() -> Tensor:
    """Every other pixel of MNIST test images without the margin that no digit reaches into, [16, 1, 10, 10]."""
    return torch.from_numpy(load_dataset(DatasetConfig(name="mnist")).batch(np.arange(16)))[:, :, 4:24:2, 4:24:2]


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> Tensor:
    """CIFAR-10 test images, [16, 3, 32, 32]."""
    dataset = load_dataset(DatasetConfig(name="cifar10", path=shared_data / "cifar10"))
    return torch.from_numpy(dataset.batch(np.arange(16)))


@pytest.fixture
def check(place: Place) -> Check:
    return lambda model, images, layers=3: check_on(place(model), place(images), layers)


def check_on(model: nn.Module, images: Tensor, layers: int) -> None:
    """Flips of some bits in one weight of `layers` layers, the first and the last among them, give naive's logits.

    And `fast` finds the same critical pairs, with the same prediction.
    The naive loop runs the engine's own block: in batches smaller than any of the engine's, torch's kernels round
    otherwise.
    """
    injection, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    assert injection.notes == []
    block, fast_block = injection.load(images), fast.load(images)
    golden = model(block.images)
    last = len(injectable_modules(model)) - 1
    differing = 0
    for layer in np.linspace(0, last, layers).astype(int):
        faults = every_bit_in(model, layer, weights=1, seed=layer).take(np.array(BITS))
        expected = judged_logits(model, block.images, faults)[:, : len(images)]
        assert same_to_the_bit(replayed_logits(injection, block, faults), expected)
        assert_same_critical_pairs([*fast.inject(fast_block, faults)], [*injection.inject(block, faults)])
        differing += int((expected != golden[: len(images)]).any(2).sum())
    assert differing, "all pairs are masked: nothing was compared"


@pytest.mark.parametrize("arch", ["resnet9", "resnet18", "resnet20", "vgg11", "vgg16", "mobilenetv2"])
def test_seeded_networks_on_mnist(arch: str, digits: Tensor, check: Check) -> None:
    check(seeded(arch, digits), digits)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2", "squeezenet1_1"])
def test_seeded_networks_of_torchvision_on_cifar10(name: str, photos: Tensor, check: Check) -> None:
    check(seeded(f"torchvision:{name}", photos), photos)


def test_trained_mobilenetv2_on_cifar10(photos: Tensor, shared_data: Path, check: Check) -> None:
    dataset = load_dataset(DatasetConfig(name="cifar10", path=shared_data / "cifar10"))
    weights = shared_data / "weights" / "mobilenetv2x0.5-cifar10.pt"
    model = load_model(ModelConfig(arch="mobilenetv2", width=0.5, weights=weights), dataset).model
    check(model, photos, layers=6)
