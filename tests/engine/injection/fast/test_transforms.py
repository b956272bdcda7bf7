"""A library that transforms its inputs rounds what one large weight gives into places that it does not reach.

Seen on a GPU: a flip of bit 30 made a weight of ResNet-18 -2e36. Its channel is dead then, and on a CPU nothing is
critical; there the plain loop called nearly all images critical, for rounding alone. Here the same is made on the CPU:
the plain loop's convolutions are Winograd's, and what the start measured has seen nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.injection.fast import channel_updates, method
from engine.injection.injection import Injection
from engine.injection.kernels.winograd import WinogradConvolution
from engine.injection.network import folded
from engine.injection.outcomes import Sites, WeightFaults
from tests.engine.injection.networks import assert_same_critical_pairs, every_bit_in, outcomes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.injection.networks import Place

MEMORY = 10**8


@pytest.fixture
def transforming(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """torch's convolutions transform; with what it gives, the engine knows that they may."""
    monkeypatch.setattr(method.FastMethod, "_largest_error", lambda *_: 1e-6)
    monkeypatch.setattr(F, "conv2d", lambda x, weight, bias, *_: WinogradConvolution(weight.detach(), bias)(x))

    def tell() -> None:
        for module in (channel_updates, method, folded):
            monkeypatch.setattr(module, "sums_directly", lambda _: False)

    return tell


@pytest.fixture
def network(place: Place) -> tuple[nn.Module, Tensor]:
    """Its inputs have zeros, where a large weight gives nothing unless it is transformed."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 10)).eval()
    return place(model.requires_grad_(False)), place(torch.randn(64, 3, 8, 8).relu())


def test_the_plain_loop_decides_what_rounding_decides(
    network: tuple[nn.Module, Tensor], transforming: Callable[[], None]
) -> None:
    transforming()
    model, images = network
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    for layer in range(4):
        faults = every_bit_in(model, layer, weights=16, seed=layer)
        assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))


def test_faults_in_several_weights_are_run_as_by_exact(
    network: tuple[nn.Module, Tensor], transforming: Callable[[], None]
) -> None:
    transforming()
    model, images = network
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    count = 24
    index = np.arange(count) * 9
    value = (10.0 ** np.linspace(-2, 30, count) * np.where(np.arange(count) % 2, 1, -1)).astype(np.float32)
    layer, changes = np.full(count, 1, dtype=np.int32), np.ones(count, dtype=bool)
    more = Sites(np.arange(count), layer, index + 1, -value)
    faults = WeightFaults(np.arange(count), layer, index, value, changes, more)
    assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))
