"""Faults, images and networks that the injection tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.faults.bits import faulty_values, same_bits
from engine.injection.layers import injectable_modules
from engine.injection.naive import naive_logits
from engine.injection.outcomes import WeightFaults

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.injection.exact import ExactInjection


def faults_in(model: nn.Module, layer: int, weight_index: np.ndarray, bit: np.ndarray) -> WeightFaults:
    """Bit flips in one layer."""
    weight = injectable_modules(model)[layer][1].weight.detach().numpy().reshape(-1)
    golden = weight[weight_index]
    value = faulty_values(golden, bit.astype(np.uint8), np.full(len(bit), -1, dtype=np.int8))
    layers = np.full(len(bit), layer, dtype=np.int32)
    return WeightFaults(np.arange(len(bit)), layers, weight_index, value, ~same_bits(golden, value))


def every_bit_in(model: nn.Module, layer: int, weights: int, seed: int = 0) -> WeightFaults:
    """Flips of all 32 bits in some random weights of one layer, then one weight as infinity and as NaN."""
    size = injectable_modules(model)[layer][1].weight.numel()
    chosen = np.random.default_rng(seed).choice(size, min(weights, size), replace=False)
    index = np.concatenate([np.repeat(chosen, 32), chosen[[0, 0]]])
    faults = faults_in(model, layer, index, np.concatenate([np.tile(np.arange(32), len(chosen)), [0, 0]]))
    faults.value[-2:] = np.inf, np.nan
    return faults


class LogitsRecorder:
    """Keeps the faulty logits of every pair; golden ones where nothing was recorded."""

    def __init__(self, faults: int, golden: Tensor) -> None:
        self.logits = golden.expand(faults, *golden.shape).clone()
        self.recorded = torch.zeros(faults, len(golden), dtype=torch.int64)

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        self.logits[faults, images] = logits
        self.recorded[faults, images] += 1


def replayed_logits(injection: ExactInjection, images: Tensor, faults: WeightFaults) -> Tensor:
    """Logits [faults, images, classes] of faults in one layer, by the injection under test."""
    block = injection.load(images)
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
