"""The exact method against the naive loop, on networks that nobody designed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.injection.injection import Injection
from tests.engine.injection.networks import bits_in_turn, judged_logits, replayed_logits, same_to_the_bit

if TYPE_CHECKING:
    from tests.engine.injection.networks import Place

pytestmark = pytest.mark.usefixtures("one_thread", "little_measured")


@dataclass(frozen=True)
class Step:
    """One layer or block of a random network."""

    kind: str
    channels: int
    kernel: int
    stride: int


class RandomNetwork(nn.Module):
    """Convolutions (strided, grouped, depthwise), norms, activations, pooling, skips, concats, then linear layers."""

    def __init__(self, steps: list[Step], flatten: bool, hidden: int) -> None:
        super().__init__()
        self.flatten = flatten
        self.layers = nn.ModuleList()
        self.kinds: list[str] = []  # fixed here, on real shapes: tracing cannot branch on shapes
        x = torch.zeros(1, 3, 12, 12)
        for step in steps:
            layer = _layer(step, x.shape[1])
            kind = _possible(step.kind, x, layer(x))
            self.layers.append(layer)
            self.kinds.append(kind)
            x = _apply(kind, layer, x)
        self.hidden = nn.Linear(x.flatten(1).shape[1] if flatten else x.shape[1], hidden)
        self.head = nn.Linear(hidden, 5)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        for kind, layer in zip(self.kinds, self.layers, strict=True):
            x = _apply(kind, layer, x)
        x = x.view(x.size(0), -1) if self.flatten else x.mean((2, 3))
        return self.head(torch.relu(self.hidden(x)))


def _layer(step: Step, channels: int) -> nn.Module:
    match step.kind:
        case "grouped":
            return nn.Conv2d(channels, channels, 3, padding=1, groups=2 if channels % 2 == 0 else 1)
        case "depthwise":
            return nn.Conv2d(channels, channels, step.kernel, step.stride, 1, groups=channels)
        case "norm":
            norm = nn.BatchNorm2d(channels).eval()
            norm.running_mean = torch.randn(channels)
            norm.running_var = torch.rand(channels) + 0.5
            return norm
        case "pool":
            return nn.MaxPool2d(2, ceil_mode=True)
        case "shortcut":
            return nn.Identity()
    return nn.Conv2d(channels, step.channels, step.kernel, step.stride, 1)


def _possible(kind: str, x: Tensor, y: Tensor) -> str:
    if kind == "residual" and y.shape != x.shape:
        return "conv"
    return "conv" if kind == "concat" and y.shape[2:] != x.shape[2:] else kind


def _apply(kind: str, layer: nn.Module, x: Tensor) -> Tensor:
    y = layer(x)
    match kind:
        case "residual":
            return F.relu(y + x)
        case "concat":
            return torch.cat([x, F.relu6(y)], 1)
        case "inplace":
            y = F.relu(y, inplace=True)
            y += 0.25
            return y
        case "conv" | "depthwise" | "grouped":
            return F.silu(y)
        case "shortcut":
            return F.pad(y[:, :, ::2, ::2], (0, 0, 0, 0, 1, 2))
    return y


STEPS = st.builds(
    Step,
    kind=st.sampled_from(
        ["conv", "conv", "residual", "concat", "inplace", "grouped", "depthwise", "norm", "pool", "shortcut"]
    ),
    channels=st.integers(2, 6),
    kernel=st.sampled_from([1, 3]),
    stride=st.sampled_from([1, 2]),
)


@settings(max_examples=15)
@given(st.lists(STEPS, min_size=1, max_size=6), st.booleans(), st.sampled_from([7, 8]), st.integers(0, 2**31 - 1))
def test_exact_is_naive_to_the_bit(place: Place, steps: list[Step], flatten: bool, hidden: int, seed: int) -> None:
    torch.manual_seed(seed)
    model = place(RandomNetwork(steps, flatten, hidden))
    images = place(torch.randn(32, 3, 12, 12))
    injection = Injection(model, images, 2 * 10**7, "exact")
    assert not any("run the whole network" in note for note in injection.notes)
    block = injection.load(images)
    for layer in range(len(injection.names)):
        faults = bits_in_turn(model, layer, weights=2, seed=seed)
        with torch.inference_mode():
            expected = judged_logits(model, images, faults)
        assert same_to_the_bit(replayed_logits(injection, block, faults), expected)


@settings(max_examples=10)
@given(st.lists(STEPS, min_size=1, max_size=6), st.booleans(), st.integers(0, 2**31 - 1))
def test_fast_finds_the_same_critical_pairs(place: Place, steps: list[Step], flatten: bool, seed: int) -> None:
    torch.manual_seed(seed)
    model = place(RandomNetwork(steps, flatten, hidden=8))
    images = place(torch.randn(32, 3, 12, 12))
    injection = Injection(model, images, 2 * 10**7, "fast")
    golden = model(images)
    for layer in range(len(injection.names)):
        faults = bits_in_turn(model, layer, weights=2, seed=seed)
        with torch.inference_mode():
            logits = judged_logits(model, images, faults)
        critical = (logits.argmax(2) != golden.argmax(1)) | ~logits.isfinite().all(2)
        outcomes = list(injection.inject(injection.load(images), faults))
        found = torch.from_numpy(np.concatenate([part.severity for part in outcomes]) == 2)
        assert torch.equal(found, critical.cpu())
