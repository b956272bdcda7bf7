"""All methods against the plain loop on networks made of whatever people write, without a self-check to help them.

A network is a list of operations on values that stay reachable: what one overwrites, another may read later.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.injection.exact.naive import naive_logits
from engine.injection.injection import Injection
from engine.injection.network.layers import injectable_modules
from engine.injection.recording import SeverityMatrix
from engine.severity import CRITICAL, SCREENED
from tests.engine.injection.networks import bits_in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.injection.outcomes import Outcomes, WeightFaults
    from tests.engine.injection.networks import Place

CHANNELS, SIZE, IMAGES = 4, 6, 8

pytestmark = pytest.mark.usefixtures("one_thread", "little_measured")


@dataclass(frozen=True)
class Operation:
    """One line of a forward: what it does, and the values it reads, counted from the last one."""

    name: str
    first: int
    second: int


class PlainSubclass(nn.Conv2d):
    """A convolution that adds nothing."""


class OwnForward(nn.Conv2d):
    """Weight standardisation: a forward of its own."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class Fuzzed(nn.Module):
    """Values all have the shape [n, CHANNELS, SIZE, SIZE]."""

    shift: Tensor

    def __init__(self, operations: list[Operation], head: str) -> None:
        super().__init__()
        self.operations, self.head = operations, head
        self.parts = nn.ModuleList(_parts(operation.name) for operation in operations)
        self.stem = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.unused = nn.Conv2d(CHANNELS, CHANNELS, 3)
        self.shared = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.scale = nn.Parameter(torch.rand(CHANNELS, 1, 1))
        self.register_buffer("shift", torch.rand(1, CHANNELS, 1, 1))
        self.flat = nn.Linear(CHANNELS * SIZE * SIZE if head == "flat" else CHANNELS, 6)
        self.last = nn.Linear(6, 5)

    def forward(self, images: Tensor, mask: Tensor | None = None, *rest: Tensor) -> Tensor:  # noqa: ARG002 - never given
        """Logits [n, 5]."""
        values = [self.stem(images)]
        for operation, part in zip(self.operations, self.parts, strict=True):
            x = values[-1 - operation.first % len(values)]
            y = values[-1 - operation.second % len(values)]
            values.append(OPERATIONS[operation.name](self, part, x, y))
        x = values[-1]
        if mask is not None:
            x = x * mask
        match self.head:
            case "flat":
                x = x.view(x.size(0), -1)
            case "squeeze":
                x = F.adaptive_avg_pool2d(x, 1).squeeze()
            case "max":
                x = F.max_pool2d(x, kernel_size=x.size()[2:]).flatten(1)
            case _:
                x = x.mean(dim=(2, 3))
        return self.last(torch.relu(input=self.flat(x)))


def _parts(name: str) -> nn.Module:
    match name:
        case "depthwise":
            return nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS)
        case "grouped":
            return nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=2)
        case "transposed":
            return nn.ConvTranspose2d(CHANNELS, CHANNELS, 3, padding=1, groups=2)
        case "subclass":
            return PlainSubclass(CHANNELS, CHANNELS, 3, padding=1)
        case "own_forward":
            return OwnForward(CHANNELS, CHANNELS, 3, padding=1)
        case "same":
            return nn.Conv2d(CHANNELS, CHANNELS, 3, padding="same", padding_mode="reflect")
        case "conv1d":
            return nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1)
        case "conv3d":
            return nn.Conv3d(CHANNELS, CHANNELS, (1, 3, 3), padding=(0, 1, 1))
        case "norm" | "conv_norm":
            norm = nn.BatchNorm2d(CHANNELS)
            norm.running_mean, norm.running_var = torch.randn(CHANNELS), torch.rand(CHANNELS) + 0.5
            return norm if name == "norm" else nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), norm)
        case "layer_norm":
            return nn.GroupNorm(1, CHANNELS)
        case "relu_module" | "relu_over":
            return nn.ReLU(inplace=True)
        case "wide":
            return nn.Linear(SIZE, SIZE)
        case "conv" | "conv_relu" | "unpadded":
            return nn.Conv2d(CHANNELS, CHANNELS, 3, padding=0 if name == "unpadded" else 1)
    return nn.Identity()


def _subtract_in_place(x: Tensor, y: Tensor) -> Tensor:
    x -= 0.1 * y
    return x


def _chunks(x: Tensor) -> Tensor:
    first, second = x.chunk(2, 1)
    return torch.cat([second, first], dim=-3)


def _flattened_over(x: Tensor) -> Tensor:
    """Overwrites a view of a value that others may read."""
    x.flatten(1).relu_()
    return x


OPERATIONS: dict[str, Callable[[Fuzzed, nn.Module, Tensor, Tensor], Tensor]] = {
    **{name: lambda _net, part, x, _y: part(x) for name in ("conv", "depthwise", "grouped", "transposed", "norm")},
    **{name: lambda _net, part, x, _y: part(x) for name in ("subclass", "own_forward", "same", "conv_norm", "wide")},
    **{name: lambda _net, part, x, _y: part(x) for name in ("relu_module", "layer_norm")},
    "conv_relu": lambda _net, part, x, _y: F.relu(input=part(x)),
    "unpadded": lambda _net, part, x, _y: part(F.pad(input=x, pad=(1, 1, 1, 1), mode="replicate")),
    "conv1d": lambda _net, part, x, _y: part(x.flatten(2)).unflatten(2, (SIZE, SIZE)),
    "conv3d": lambda _net, part, x, _y: part(x.unsqueeze(2)).squeeze(2),
    "shared": lambda net, _part, x, _y: net.shared(x),
    "relu": lambda _net, _part, x, _y: torch.relu(x),
    "relu_over": lambda _net, part, x, y: part(x) + y,
    "relu_function_over": lambda _net, _part, x, _y: F.relu(x, inplace=True),
    "relu_method_over": lambda _net, _part, x, _y: x.relu_(),
    "leaky_over": lambda _net, _part, x, _y: F.leaky_relu_(x, 0.2),
    "subtract_over": lambda _net, _part, x, y: _subtract_in_place(x, y),
    "scale_over": lambda _net, _part, x, _y: x.mul_(0.5),
    "flattened_over": lambda _net, _part, x, _y: _flattened_over(x),
    "silu": lambda _net, _part, x, _y: F.silu(x),
    "gelu": lambda _net, _part, x, _y: F.gelu(input=x, approximate="tanh"),
    "add": lambda _net, _part, x, y: x + y,
    "add_self": lambda _net, _part, x, _y: x + x,
    "add_scaled": lambda _net, _part, x, y: torch.add(x, y, alpha=3),
    "add_method": lambda _net, _part, x, y: x.add(y, alpha=-2),
    "subtract": lambda _net, _part, x, y: torch.sub(input=x, other=y),
    "gate": lambda _net, _part, x, y: x * torch.sigmoid(y),
    "context": lambda _net, _part, x, y: x + y.mean((2, 3), keepdim=True),
    "context_first": lambda _net, _part, x, y: y.mean((2, 3), keepdim=True) + x,
    "parameter": lambda net, _part, x, y: x + net.scale * y,
    "buffer": lambda net, _part, x, _y: x * net.shift,
    "pad": lambda _net, _part, x, _y: F.pad(x, (1, 0, 0, 1))[:, :, 1:, :SIZE],
    "pad_channels": lambda _net, _part, x, _y: F.pad(x, (0, 0, 0, 0, 1, 0))[:, :CHANNELS],
    "pad_negative": lambda _net, _part, x, _y: F.pad(F.pad(x, (-1, 1, 0, 0)), (0, 0, 0, 0, -1, 1)),
    "pad_reflect": lambda _net, _part, x, _y: F.pad(x, (2, 2, 2, 2), "reflect")[:, :, 2:-2, 2:-2],
    "concat": lambda _net, _part, x, y: torch.cat([x, y], 1)[:, 2 : 2 + CHANNELS],
    "concat_named": lambda _net, _part, x, y: torch.cat(tensors=(y, x), dim=1)[:, ::2],
    "stack": lambda _net, _part, x, y: torch.stack([x, y], 1).amax(1),
    "stack_first": lambda _net, _part, x, y: torch.stack([x, y]).sum(0),
    "chunks": lambda _net, _part, x, _y: _chunks(x),
    "pool": lambda _net, _part, x, _y: F.interpolate(F.max_pool2d(x, 2), scale_factor=2),
    "pool_overlapping": lambda _net, _part, x, _y: F.max_pool2d(input=x, kernel_size=3, stride=1, padding=1),
    "average": lambda _net, _part, x, _y: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
    "transpose": lambda _net, _part, x, _y: x.transpose(2, 3),
    "swap_channels": lambda _net, _part, x, _y: x.flip(1),
    "softmax": lambda _net, _part, x, _y: torch.softmax(x, 1),
    "dropout": lambda net, _part, x, _y: F.dropout(x, 0.5, training=net.training),
    "identity_over": lambda _net, part, x, _y: part(x).relu_(),
    "reshape": lambda _net, _part, x, _y: x.reshape(x.shape[0], SIZE, CHANNELS, SIZE).permute(0, 2, 1, 3),
    "clamp": lambda _net, _part, x, _y: x.clamp(-1, 1),
    "multiply_self": lambda _net, _part, x, _y: x * x,
    "clone_over": lambda _net, _part, x, y: x.clone().add_(y),
}

PROGRAMS = st.lists(
    st.builds(Operation, st.sampled_from(sorted(OPERATIONS)), st.integers(0, 3), st.integers(0, 3)), max_size=7
)


def severities(outcomes: list[Outcomes]) -> list[list[tuple[int, ...]]]:
    """(row, image, prediction, finite) of each critical pair, part by part."""
    found: list[list[tuple[int, ...]]] = []
    for part in outcomes:
        prediction = [-1 if flag else int(each) for each, flag in zip(part.prediction, part.nonfinite, strict=True)]
        columns = (part.critical_fault.tolist(), part.critical_image.tolist(), prediction, part.nonfinite.tolist())
        found.append(list(zip(*columns, strict=True)))
    return found


def judged(plain: nn.Module, images: Tensor, faults: WeightFaults) -> Outcomes:
    """The plain loop's answers on an untouched network."""
    with torch.inference_mode():
        golden = plain(images.clone())
    matrix, every = SeverityMatrix(len(faults), golden), torch.arange(len(images), device=images.device)
    for row, logits in enumerate(naive_logits(plain, faults, images, len(images))):
        matrix.record(torch.full_like(every, row), every, logits)
    return matrix.outcomes(faults.positions)


def check(operations: list[Operation], head: str, seed: int, place: Place) -> None:
    torch.manual_seed(seed)
    net = place(Fuzzed(operations, head).eval().requires_grad_(False))
    plain = deepcopy(net)
    images = place(torch.rand(IMAGES, 3, SIZE, SIZE))
    try:
        is_a_network = bool(plain(images.clone()).isfinite().all())
    except RuntimeError:  # such as a view of what lies in memory in another order
        is_a_network = False
    if not is_a_network:
        return
    exact, fast, screened = (Injection(net, images, 10**7, name) for name in ("exact", "fast", "screened"))
    for layer, _ in enumerate(injectable_modules(plain)):
        faults = bits_in_turn(plain, layer, seed=seed)
        of_exact, of_fast = exact.load(images), fast.load(images)
        by_exact = by_fast = judged(plain, of_exact.images, faults)
        if not torch.equal(of_fast.images, of_exact.images):  # as where only one of them pads
            by_fast = judged(plain, of_fast.images, faults)
        for injection, block, expected in ((exact, of_exact, by_exact), (fast, of_fast, by_fast)):
            severity = expected.severity[:, : block.count]
            outcomes = list(injection.inject(block, faults))
            found = [pair for part in severities(outcomes) for pair in part] if len(outcomes) == 1 else None
            if found is not None:
                wanted = [pair for part in severities([expected]) for pair in part if pair[1] < block.count]
                assert found == wanted, (type(injection).__name__, exact.names[layer], exact.notes)
            row = 0
            for part in outcomes:
                here = severity[row : row + len(part.severity)]
                assert ((part.severity == 2) == (here == 2)).all(), (type(injection).__name__, exact.names[layer])
                if injection is exact:
                    assert (part.severity == here).all(), (exact.names[layer], exact.notes)
                row += len(part.severity)
        severity = by_fast.severity[:, : of_fast.count]
        found_by_screening = np.concatenate([part.severity for part in screened.inject(screened.load(images), faults)])
        was_run = found_by_screening != SCREENED
        assert ((found_by_screening == CRITICAL) == (severity == CRITICAL))[was_run].all(), exact.names[layer]
    for one, other in zip(net.state_dict().values(), plain.state_dict().values(), strict=True):
        assert torch.equal(one, other), "the user's network was changed"


HEADS = st.sampled_from(["flat", "squeeze", "max", "mean"])
SEEDS = st.integers(0, 2**31 - 1)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(PROGRAMS, HEADS, SEEDS)
@example([Operation("relu_over", 0, 1), Operation("conv", 0, 0), Operation("add", 0, 1)], "mean", 0)
@example([Operation("conv_relu", 0, 0), Operation("add_self", 0, 0), Operation("add_self", 0, 0)], "mean", 1)
@example([Operation("conv", 0, 0), Operation("context", 1, 0), Operation("conv_relu", 0, 0)], "mean", 2)
def test_what_people_write(place: Place, operations: list[Operation], head: str, seed: int) -> None:
    check(operations, head, seed, place)


@pytest.mark.slow
@settings(max_examples=500, suppress_health_check=list(HealthCheck), derandomize=False)
@given(PROGRAMS, HEADS, SEEDS)
def test_much_of_what_people_write(place: Place, operations: list[Operation], head: str, seed: int) -> None:
    check(operations, head, seed, place)
