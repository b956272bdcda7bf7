"""The check finds what is wrong with a method, wherever it is, and what is left agrees with the plain loop."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.errors import InputError
from engine.injection.bounds import change_bound
from engine.injection.check.self_check import CheckResult, Extent, check, draw_flips
from engine.injection.exact.method import ExactMethod
from engine.injection.exact.naive import naive_logits
from engine.injection.exact.packed_runs import PackedRuns
from engine.injection.exact.whole_network import WholeNetwork
from engine.injection.fast.runner import FastRunner
from engine.injection.injection import Injection
from tests.engine.injection.networks import every_bit_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.injection.outcomes import WeightFaults
    from engine.injection.pairs import Pairs
    from engine.injection.recording import Recorder

pytestmark = pytest.mark.usefixtures("one_thread")

MEMORY = 10**7


class Doubling(nn.Module):
    """Adds a value to itself, four times: a bound that counts it once each time is far too low."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, 10]."""
        x = self.second(self.first(images).relu()).relu()
        for _ in range(4):
            x = x + x
        return self.head(x.mean((2, 3)))


def network() -> nn.Module:
    torch.manual_seed(1)
    return Doubling().eval().requires_grad_(False)


def images_of(count: int, turn: int) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(turn))


def checked(injection: Injection, plain: nn.Module, pairs: int = 4000) -> CheckResult:
    return check(injection, plain, images_of, Extent(pairs=pairs))


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_what_agrees_is_left_alone(method: str) -> None:
    model = network()
    plain, injection = deepcopy(model), Injection(model, images_of(32, 0), MEMORY, method)
    result = checked(injection, plain)
    assert result.pairs >= 4000
    assert (result.differences, result.fallbacks) == (0, ())
    assert {injection.method_of(layer) for layer in range(3)} == {method}


def test_a_value_counted_once_that_is_added_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule as it was: each operand of a sum counts once, however often it is added."""
    genuine = change_bound._bounding_sum

    def once(node: Any, shapes: Any, values: Any) -> Tensor:
        return genuine(node, shapes, values) / len(node.args) * len(node.all_input_nodes)

    monkeypatch.setattr(change_bound, "_bounding_sum", once)
    model = network()
    plain, injection = deepcopy(model), Injection(model, images_of(64, 0), MEMORY, "fast")
    result = checked(injection, plain, pairs=20_000)
    assert result.differences > 0
    assert all(each.method == "exact" and "differed from the plain loop" in each.reason for each in result.fallbacks)
    assert_right(injection, plain)


def test_a_lead_that_is_taken_for_certain_too_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tau of less than nothing: golden's class is certain although another one is ahead."""
    genuine = FastRunner._record_certain

    def record_certain(self: FastRunner, pairs: Pairs, logits: Tensor, bound: Tensor) -> None:
        self._tau = -0.05
        genuine(self, pairs, logits, bound)

    monkeypatch.setattr(FastRunner, "_record_certain", record_certain)
    model = network()
    plain, injection = deepcopy(model), Injection(model, images_of(64, 0), MEMORY, "fast")
    result = checked(injection, plain, pairs=20_000)
    assert result.differences > 0
    assert_right(injection, plain)


def test_exact_that_is_wrong_falls_back_to_the_whole_network(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = PackedRuns.run

    def run(self: PackedRuns, faults: WeightFaults, recorder: Recorder) -> Iterator[Pairs]:
        for pairs in genuine(self, faults, recorder):
            yield pairs.take(slice(0, len(pairs) // 2))

    monkeypatch.setattr(PackedRuns, "run", run)
    model = network()
    plain, injection = deepcopy(model), Injection(model, images_of(32, 0), MEMORY, "exact")
    result = checked(injection, plain)
    assert {each.layer for each in result.fallbacks} == {"first", "second", "head"}
    assert {each.method for each in result.fallbacks} == {"whole network"}
    assert_right(injection, plain)


def test_a_method_that_fails_falls_back_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a shape that nobody thought of")

    model = network()
    plain, injection = deepcopy(model), Injection(model, images_of(32, 0), MEMORY, "fast")
    monkeypatch.setattr(FastRunner, "add", fail)
    result = checked(injection, plain, pairs=1)
    assert {each.method for each in result.fallbacks} == {"exact"}
    assert "it fails (a shape that nobody thought of)" in result.fallbacks[0].reason


def test_where_nothing_agrees_it_is_refused() -> None:
    model = network()
    plain = deepcopy(model)
    for parameter in model.parameters():
        parameter.data += 0.01  # as a network that has trained itself meanwhile
    injection = Injection(model, images_of(32, 0), MEMORY, "exact")
    with pytest.raises(
        InputError, match=r"\[model\]: the network's answers without a fault are not those of an untouched copy"
    ):
        checked(injection, plain)


def test_where_not_even_whole_network_runs_agree_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def record_nothing(*_: Any) -> None:
        """As if every pair were masked."""

    model = network()
    plain, injection = deepcopy(model), Injection(model, images_of(32, 0), MEMORY, "exact")
    monkeypatch.setattr(WholeNetwork, "run", record_nothing)
    monkeypatch.setattr(ExactMethod, "run", record_nothing)
    with pytest.raises(InputError, match=r"\[model\]: faults in first: .* although the whole network is run"):
        checked(injection, plain)


def test_it_runs_every_layer_low_and_high_bits_and_bits_30_and_31() -> None:
    seen: dict[int, set[int]] = {}

    class Watching(Injection):
        """Notes the bits of the faults that it is given."""

        def replay(self, block: Any, layer: int, faults: WeightFaults, recorder: Any) -> None:
            """As its parent."""
            weight = dict(plain.named_modules())[self.names[layer]].weight.numpy().reshape(-1)
            changed = weight[faults.weight_index].view(np.uint32) ^ faults.value.view(np.uint32)
            seen.setdefault(layer, set()).update(np.log2(changed).astype(int).tolist())
            super().replay(block, layer, faults, recorder)

    model = network()
    plain, injection = deepcopy(model), Watching(model, images_of(32, 0), MEMORY, "exact")
    checked(injection, plain, pairs=1)
    assert set(seen) == {0, 1, 2}
    for bits in seen.values():
        assert {30, 31} <= bits
        assert min(bits) < 16
        assert any(16 <= bit < 30 for bit in bits)


def test_the_campaigns_own_faults_are_among_those_looked_at() -> None:
    one, other = draw_flips(0, torch.ones(50), 5, 0), draw_flips(1, torch.ones(50), 3, 1)
    both = one.joined(other)
    assert len(both) == 8
    assert both.layer.tolist() == [0] * 5 + [1] * 3


def assert_right(injection: Injection, plain: nn.Module) -> None:
    """What the check has left gives the plain loop's critical pairs, on images that it has not seen."""
    block = injection.load(images_of(32, 10**6))
    golden = plain(block.images.clone())
    for layer in range(len(injection.names)):
        faults = every_bit_in(plain, layer, weights=4, seed=9)
        logits = torch.stack(list(naive_logits(plain, faults, block.images, len(block.images))))
        critical = (logits.argmax(2) != golden.argmax(1)) | ~logits.isfinite().all(2)
        found = np.concatenate([part.severity for part in injection.inject(block, faults)])
        assert ((found == 2) == critical[:, : block.count].numpy()).all()
