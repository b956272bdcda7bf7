"""Each way of writing a network that once gave wrong severities or a traceback, by itself and in its smallest form.

Without a self-check, which would hide what is wrong: all methods are compared with the plain loop on a copy that was
made before.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.injection.injection import Injection
from engine.injection.network.layers import injectable_modules
from engine.injection.network.sizes import LIMITS
from engine.severity import SCREENED
from tests.engine.injection.networks import bits_in_turn, outcomes_of
from tests.engine.injection.test_fuzzed_networks import OwnForward, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.injection.outcomes import Outcomes
    from tests.engine.injection.networks import Place

pytestmark = pytest.mark.usefixtures("one_thread", "little_measured")

IMAGES = 13
"""an odd number, which batches are padded from"""


@dataclass(frozen=True)
class Kind:
    """A network: first (3 to 4 channels, 6 x 6), what the kind does, head (4 numbers to 5 classes)."""

    middle: Callable[[Any, Tensor], Tensor]
    """of the network and what first gives, [n, 4, 6, 6]; gives [n, 4] or [n, 4, height, width]"""
    parts: dict[str, Callable[[], nn.Module]] = field(default_factory=dict)
    masked: str | None = None
    """the layer whose faults have no effect"""
    has_graph: bool = True
    """what has none runs the whole network for each fault"""


def conv() -> nn.Module:
    return nn.Conv2d(4, 4, 3, padding=1)


def added_after(net: Any, x: Tensor, total: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    y = net.second(x).relu()
    return total(y, x).relu()


TWO = {"second": conv}

KINDS: dict[str, Kind] = {
    "auxiliary head": Kind(
        lambda net, x: (net.second(x), net.aux(x.mean((2, 3))))[0] if not net.training else net.aux(x),
        {"aux": lambda: nn.Linear(4, 5), **TWO},
        masked="aux",
    ),
    "auxiliary head of training": Kind(
        lambda net, x: net.aux(x) if net.training else net.second(x),
        {"aux": lambda: nn.Linear(4, 5), **TWO},
        masked="aux",
    ),
    "unused layer": Kind(lambda net, x: net.second(x), {"unused": conv, **TWO}, masked="unused"),
    "layers in another order": Kind(lambda net, x: net.late(net.early(x).relu()), {"late": conv, "early": conv}),
    "forward of its own": Kind(
        lambda net, x: net.own(net.second(x).relu()), {"own": lambda: OwnForward(4, 4, 3, padding=1), **TWO}
    ),
    "module called twice": Kind(lambda net, x: net.second(net.second(x).relu()), TWO),
    "in-place module over a shortcut": Kind(
        lambda net, x: net.second(net.relu(x)) + x, {"relu": lambda: nn.ReLU(inplace=True), **TWO}
    ),
    "in-place function over a shortcut": Kind(lambda net, x: net.second(F.relu(x, inplace=True)) + x, TWO),
    "in-place method over a shortcut": Kind(lambda net, x: net.second(x.mul_(0.5)) + x, TWO),
    "in-place operator over a shortcut": Kind(lambda net, x: overwritten_by_operator(net, x), TWO, has_graph=False),
    "value added to itself": Kind(lambda net, x: added_after(net, x, lambda y, _x: y + y), TWO),
    "sum with alpha": Kind(lambda net, x: added_after(net, x, lambda y, x: torch.add(x, y, alpha=3)), TWO),
    "method with alpha": Kind(lambda net, x: added_after(net, x, lambda y, x: x.sub(y, alpha=2.5)), TWO),
    "difference": Kind(lambda net, x: added_after(net, x, lambda y, x: torch.sub(x, y)), TWO),
    "scaled sum": Kind(lambda net, x: added_after(net, x, lambda y, x: 3 * y + x / 4), TWO),
    "arguments repeated": Kind(lambda net, x: added_after(net, x, lambda y, _x: torch.cat([y, y], 1)[:, 2:6]), TWO),
    "sum of a list": Kind(lambda net, x: added_after(net, x, lambda y, x: torch.stack([y, x, y], 1).sum(1)), TWO),
    "broadcast over channels": Kind(lambda net, x: added_after(net, x, lambda y, x: y.mean(1, keepdim=True) + x), TWO),
    "broadcast over places": Kind(
        lambda net, x: added_after(net, x, lambda y, x: x + y.mean((2, 3), keepdim=True)), TWO
    ),
    "pad of two dimensions": Kind(lambda net, x: F.pad(net.second(x).mean((2, 3)), (1, 2))[:, 1:5], TWO),
    "pad of three dimensions": Kind(
        lambda net, x: net.line(F.pad(net.second(x).flatten(2), (0, 0, 1, 1)))[:, :, :36].unflatten(2, (6, 6)),
        {"line": lambda: nn.Conv1d(6, 4, 1), **TWO},
    ),
    "pad of five dimensions": Kind(
        lambda net, x: net.cube(F.pad(net.second(x).unsqueeze(2), (1, 1, 0, 0, 0, 1, 1, 0))).amax(2),
        {"cube": lambda: nn.Conv3d(5, 4, 1), **TWO},
    ),
    "negative pad": Kind(lambda net, x: F.pad(net.second(x), (-1, -1, 0, -2, 1, -1)).relu(), TWO),
    "modules called with keywords": Kind(
        lambda net, x: net.pool(input=net.second(input=x)), {"pool": lambda: nn.MaxPool2d(2), **TWO}
    ),
    "functions called with keywords": Kind(
        lambda net, x: F.avg_pool2d(input=torch.relu(input=net.second(x)), kernel_size=2, stride=2), TWO
    ),
    "kernel by size": Kind(lambda net, x: F.max_pool2d(net.second(x), kernel_size=x.size()[2:]).flatten(1), TWO),
    "kernel by width": Kind(lambda net, x: F.avg_pool2d(net.second(x), x.shape[-1]).view(x.shape[0], -1), TWO),
    "parameter in forward": Kind(
        lambda net, x: x + net.gamma.scale[:, None, None] * net.second(x),
        {"gamma": lambda: nn.ParameterDict({"scale": nn.Parameter(torch.rand(4))}), **TWO},
    ),
    "buffer in forward": Kind(
        lambda net, x: net.second(x) * net.norm.running_var[None, :, None, None] - net.norm.running_mean.view(4, 1, 1),
        {"norm": lambda: nn.BatchNorm2d(4), **TWO},
    ),
    "stack over a new axis": Kind(lambda net, x: torch.stack((net.second(x), x), dim=-1).amax(-1), TWO),
    "linear on three dimensions": Kind(
        lambda net, x: net.token(net.second(x).flatten(2).transpose(1, 2)).relu().mean(1),
        {"token": lambda: nn.Linear(4, 4), **TWO},
    ),
    "linear on four dimensions": Kind(
        lambda net, x: net.wide(net.second(x)).relu(), {"wide": lambda: nn.Linear(6, 5), **TWO}
    ),
    "squeeze": Kind(lambda net, x: F.adaptive_avg_pool2d(net.second(x), 1).squeeze(), TWO),
    "transposed and grouped": Kind(
        lambda net, x: net.up(net.second(x).relu()), {"up": lambda: nn.ConvTranspose2d(4, 4, 2, 2, groups=2), **TWO}
    ),
}


def overwritten_by_operator(net: Any, x: Tensor) -> Tensor:
    y = x
    y += net.second(x)
    return net.second(y) + x


class Network(nn.Module):
    """Of a kind; its forward has arguments that nobody gives."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.middle = kind.middle
        self.first, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 5)
        for name, make in kind.parts.items():
            self.add_module(name, make())
        with torch.no_grad():
            self.has_places = self.eval().middle(self, torch.zeros(2, 4, 6, 6)).dim() == 4

    def forward(self, images: Tensor, mask: Tensor | None = None, *rest: Tensor, scale: float = 1.0) -> Tensor:
        """Logits [n, 5]."""
        x = self.first(images) if mask is None else self.first(images * mask)
        x = self.middle(self, x * scale)
        for other in rest:
            x = x + other
        return self.head(x.mean((2, 3)) if self.has_places else x)


def state_of(net: nn.Module) -> list[Any]:
    """What a user can see of a network's modules."""
    return [
        (name, module, type(module), set(vars(module)), module.training, getattr(module, "inplace", None))
        for name, module in net.named_modules()
    ]


def critical_pairs(outcomes: list[Outcomes]) -> list[tuple[int, int, int, bool]]:
    """(row of the fault, image, prediction, flag) of each critical pair; -1 where no logit need be a number."""
    found, row = [], 0
    for part in outcomes:
        prediction = np.where(part.nonfinite, -1, part.prediction.astype(int))
        columns = (part.critical_fault + row, part.critical_image, prediction, part.nonfinite)
        found += list(zip(*(column.tolist() for column in columns), strict=True))
        row += len(part.severity)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_it_is_as_by_the_plain_loop(
    name: str, place: Place, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of `screened`, what it runs; its gradients are taken of four images at once, and of the last one."""
    monkeypatch.setitem(LIMITS, device.type, replace(LIMITS[device.type], gradient_rows=4))
    kind = KINDS[name]
    torch.manual_seed(0)
    net = place(Network(kind).eval().requires_grad_(False))
    plain, images = deepcopy(net), place(torch.rand(IMAGES, 3, 6, 6))
    before = state_of(net)
    injections = {method: Injection(net, images, 10**6, method) for method in ("exact", "fast", "screened")}
    assert (injections["exact"].method_of(0) == "exact") == kind.has_graph, injections["exact"].notes
    names = injections["exact"].names
    assert names == tuple(name for name, _ in injectable_modules(plain))
    critical = 0
    for layer, of_layer in enumerate(names):
        faults = bits_in_turn(plain, layer, weights=2, seed=layer)
        answers: dict[tuple[int, ...], Outcomes] = {}  # of a shape: what batches are padded with changes no image's
        for method, injection in injections.items():
            padded = injection.load(images).images
            if tuple(padded.shape) not in answers:
                answers[tuple(padded.shape)] = judged(plain, padded, faults)
            expected = answers[tuple(padded.shape)]
            severity = expected.severity[:, :IMAGES]
            assert (of_layer == kind.masked) == (not severity.any()), of_layer
            found = outcomes_of(injection, images, faults)
            found_severity = np.concatenate([part.severity for part in found])
            was_run = found_severity != SCREENED
            wanted = [pair for pair in critical_pairs([expected]) if pair[1] < IMAGES and was_run[pair[:2]]]
            assert critical_pairs(found) == wanted, (method, of_layer, injection.notes)
            if method == "exact":
                np.testing.assert_array_equal(found_severity, severity)
            critical += len(wanted)
    assert critical, "nothing was compared"
    of_one_image = [part.severity for part in outcomes_of(injections["screened"], images[:1], faults)]
    assert len(np.concatenate(of_one_image)) == len(faults)
    assert state_of(net) == before, "the user's modules were changed"
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), plain.parameters(), strict=True))
