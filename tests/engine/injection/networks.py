"""Faults, images and networks that the injection tests share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from engine.formats.float32 import FLOAT32
from engine.injection.exact.naive import naive_logits
from engine.injection.fast.calibration import sample_faults
from engine.injection.network.layers import injectable_modules
from engine.injection.network.sizes import LIMITS
from engine.injection.outcomes import WeightFaults
from engine.injection.recording import Recorder
from engine.models import build_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from torch import Tensor

    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import Outcomes

    Thing = TypeVar("Thing", bound=nn.Module | Tensor)

    class Place(Protocol):
        """Moves a network or images to the device and the type that are asked for, see `tests/engine/conftest.py`."""

        def __call__(self, thing: Thing, /) -> Thing: ...


def run_small_batches(patch: pytest.MonkeyPatch, device: torch.device) -> None:
    """Blocks and batches of 16: sizes that 16 images never come in are not tried out, either."""
    patch.setitem(LIMITS, device.type, replace(LIMITS[device.type], macs=0, value_bytes=0, block_rows=16))


def measure_little(patch: pytest.MonkeyPatch, bits: Sequence[int] = (22, 28, 30)) -> None:
    """Rounding is measured on two images, on these bits, and in eight layers or so, so that `fast` is soon ready.

    It cannot hide a wrong pair: what is measured on less is trusted for more.
    """

    def sample_few(layer: int, weight: Tensor, layers: int) -> WeightFaults:
        faults = sample_faults(layer, weight, layers)
        if layers == 1:
            return faults
        is_left_out = layer % -(-layers // 8) > 0
        return faults.take(np.flatnonzero(np.isin(faults.positions % 32, [] if is_left_out else list(bits))))

    patch.setattr("engine.injection.fast.calibration._IMAGES", 2)
    patch.setattr("engine.injection.fast.method.sample_faults", sample_few)


def faults_in(model: nn.Module, layer: int, weight_index: np.ndarray, bit: np.ndarray) -> WeightFaults:
    """Bit flips in one layer."""
    weight = injectable_modules(model)[layer][1].weight.detach().cpu().numpy().reshape(-1)
    golden = weight[weight_index].astype(np.float32)
    value = FLOAT32.faulty_values(golden, bit.astype(np.uint8), np.full(len(bit), -1, dtype=np.int8))
    layers = np.full(len(bit), layer, dtype=np.int32)
    return WeightFaults(np.arange(len(bit)), layers, weight_index, value, ~FLOAT32.same(golden, value))


def every_bit_in(model: nn.Module, layer: int, weights: int, seed: int = 0) -> WeightFaults:
    """Flips of all 32 bits in some random weights of one layer, then one weight as infinity and as NaN."""
    size = injectable_modules(model)[layer][1].weight.numel()
    chosen = np.random.default_rng(seed).choice(size, min(weights, size), replace=False)
    index = np.concatenate([np.repeat(chosen, 32), chosen[[0, 0]]])
    faults = faults_in(model, layer, index, np.concatenate([np.tile(np.arange(32), len(chosen)), [0, 0]]))
    faults.value[-2:] = np.inf, np.nan
    return faults


def bits_in_turn(model: nn.Module, layer: int, weights: int = 1, seed: int = 0) -> WeightFaults:
    """Of `every_bit_in` a quarter of the bits, other ones in the next layer, with bits 28 to 31, infinity and NaN.

    Four layers have every bit between them.
    """
    faults = every_bit_in(model, layer, weights, seed)
    row = np.arange(len(faults))
    return faults.take(row[(row % 4 == layer % 4) | (row % 32 >= 28) | (row >= len(row) - 2)])


class LogitsRecorder(Recorder):
    """Keeps the faulty logits of every pair that were looked at; golden ones elsewhere."""

    def __init__(self, faults: int, golden: Tensor) -> None:
        self.logits = golden.expand(faults, *golden.shape).clone()
        self.recorded = torch.zeros(faults, len(golden), dtype=torch.int64, device=golden.device)

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        self.logits[faults, images] = logits
        self.recorded[faults, images] += 1


def replayed_logits(injection: Injection, block: GoldenBlock, faults: WeightFaults) -> Tensor:
    """Logits [faults, images, classes] of faults in one layer, by the injection under test."""
    recorder = LogitsRecorder(len(faults), block.logits)
    injection.replay(block, int(faults.layer[0]), faults, recorder)
    assert recorder.recorded.max() <= 1, "a pair was run twice"
    return recorder.logits


def judged_logits(model: nn.Module, images: Tensor, faults: WeightFaults) -> Tensor:
    """Logits [faults, images, classes] by the naive loop, on the same batch."""
    return torch.stack(list(naive_logits(model, faults, images, len(images))))


def same_to_the_bit(one: Tensor, other: Tensor) -> bool:
    """Equal, NaN equal to NaN."""
    return bool(((one == other) | (one.isnan() & other.isnan())).all())


def seeded(arch: str, images: Tensor) -> nn.Module:
    """Random weights; batch-norm statistics of `images`."""
    torch.manual_seed(0)
    model = build_model(arch, images.shape[1], 10)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over batches
    with torch.no_grad():
        model.train()(images)
    return model.eval().requires_grad_(False)


def outcomes_of(injection: Injection, images: Tensor, faults: WeightFaults) -> list[Outcomes]:
    """All outcomes of one layer's faults on one block."""
    return list(injection.inject(injection.load(images), faults))


def assert_same_critical_pairs(fast: list[Outcomes], exact: list[Outcomes]) -> None:
    """Top-1 and finiteness agree for every pair; masked or non-critical may be a matter of rounding."""
    for one, other in zip(fast, exact, strict=True):
        for name in ("critical_fault", "critical_image", "prediction", "nonfinite"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
