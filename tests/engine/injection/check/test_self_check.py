"""The check finds what is wrong with a method, wherever it is, and what is left agrees with the plain loop."""

from __future__ import annotations

import itertools
from copy import deepcopy
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
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
    from collections.abc import Callable, Iterator

    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults
    from engine.injection.pairs import Pairs
    from engine.injection.recording import Recorder
    from engine.injection.screened.audit import BlockAudit
    from tests.engine.injection.networks import Place

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


@pytest.fixture
def model(place: Place) -> nn.Module:
    torch.manual_seed(1)
    return place(Doubling().eval().requires_grad_(False))


def images_of(network: nn.Module, count: int, turn: int) -> Tensor:
    """So many images of a turn, where the network is."""
    images = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(turn))
    return images.to(next(network.parameters()))


def checked(injection: Injection, plain: nn.Module, pairs: int = 4000) -> CheckResult:
    return check(injection, plain, partial(images_of, plain), Extent(pairs=pairs))


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_what_agrees_is_left_alone(model: nn.Module, method: str) -> None:
    plain, injection = deepcopy(model), Injection(model, images_of(model, 32, 0), MEMORY, method)
    result = checked(injection, plain)
    assert result.pairs >= 4000
    assert (result.differences, result.fallbacks) == (0, ())
    assert {injection.method_of(layer) for layer in range(3)} == {method}


def test_a_value_counted_once_that_is_added_twice_is_found(
    model: nn.Module, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule as it was: each operand of a sum counts once, however often it is added."""
    if device.type != "cpu":
        pytest.skip("the large faults that show it on a CPU are run elsewhere, whatever their bound")
    genuine = change_bound._bounding_sum

    def once(node: Any, graph: Any, values: Any) -> Tensor:
        return genuine(node, graph, values) / len(node.args) * len(node.all_input_nodes)

    monkeypatch.setattr(change_bound, "_bounding_sum", once)
    plain, injection = deepcopy(model), Injection(model, images_of(model, 64, 0), MEMORY, "fast")
    result = checked(injection, plain, pairs=20_000)
    assert result.differences > 0
    assert all(each.method == "exact" and "differed from the plain loop" in each.reason for each in result.fallbacks)
    assert_right(injection, plain)


def test_a_lead_that_is_taken_for_certain_too_early_is_found(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tau of less than nothing: golden's class is certain although another one is ahead."""
    genuine = FastRunner._record_certain

    def record_certain(self: FastRunner, pairs: Pairs, logits: Tensor, bound: Tensor) -> None:
        self._tau = -0.05
        genuine(self, pairs, logits, bound)

    monkeypatch.setattr(FastRunner, "_record_certain", record_certain)
    plain, injection = deepcopy(model), Injection(model, images_of(model, 64, 0), MEMORY, "fast")
    result = checked(injection, plain, pairs=20_000)
    assert result.differences > 0
    assert_right(injection, plain)


def test_exact_that_is_wrong_falls_back_to_the_whole_network(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = PackedRuns.run

    def run(self: PackedRuns, faults: WeightFaults, recorder: Recorder) -> Iterator[Pairs]:
        for pairs in genuine(self, faults, recorder):
            yield pairs.take(slice(0, len(pairs) // 2))

    monkeypatch.setattr(PackedRuns, "run", run)
    plain, injection = deepcopy(model), Injection(model, images_of(model, 32, 0), MEMORY, "exact")
    result = checked(injection, plain)
    assert {each.layer for each in result.fallbacks} == {"first", "second", "head"}
    assert {each.method for each in result.fallbacks} == {"whole network"}
    assert_right(injection, plain)


def test_a_method_that_fails_falls_back_and_says_how(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a shape that nobody thought of")

    plain, injection = deepcopy(model), Injection(model, images_of(model, 32, 0), MEMORY, "fast")
    monkeypatch.setattr(FastRunner, "add", fail)
    result = checked(injection, plain, pairs=1)
    assert {each.method for each in result.fallbacks} == {"exact"}
    assert "it fails (a shape that nobody thought of)" in result.fallbacks[0].reason


def test_where_nothing_agrees_it_is_refused(model: nn.Module) -> None:
    plain = deepcopy(model)
    for parameter in model.parameters():
        parameter.data += 0.01  # as a network that has trained itself meanwhile
    injection = Injection(model, images_of(model, 32, 0), MEMORY, "exact")
    with pytest.raises(
        InputError, match=r"\[model\]: the network's answers without a fault are not those of an untouched copy"
    ):
        checked(injection, plain)


def test_where_not_even_whole_network_runs_agree_it_is_refused(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record_nothing(*_: Any) -> None:
        """As if every pair were masked."""

    plain, injection = deepcopy(model), Injection(model, images_of(model, 32, 0), MEMORY, "exact")
    monkeypatch.setattr(WholeNetwork, "run", record_nothing)
    monkeypatch.setattr(ExactMethod, "run", record_nothing)
    with pytest.raises(InputError, match=r"\[model\]: faults in first: .* although the whole network is run"):
        checked(injection, plain)


def test_it_runs_every_layer_low_and_high_bits_and_bits_30_and_31(model: nn.Module) -> None:
    seen: dict[int, set[int]] = {}

    class Watching(Injection):
        """Notes the bits of the faults that it is given."""

        def replay(self, block: Any, layer: int, faults: WeightFaults, recorder: Any) -> None:
            """As its parent."""
            weight = dict(plain.named_modules())[self.names[layer]].weight.cpu().numpy().reshape(-1)
            changed = weight[faults.weight_index].view(np.uint32) ^ faults.value.view(np.uint32)
            seen.setdefault(layer, set()).update(np.log2(changed).astype(int).tolist())
            super().replay(block, layer, faults, recorder)

    plain, injection = deepcopy(model), Watching(model, images_of(model, 32, 0), MEMORY, "exact")
    checked(injection, plain, pairs=1)
    assert set(seen) == {0, 1, 2}
    for bits in seen.values():
        assert {30, 31} <= bits
        assert min(bits) < 16
        assert any(16 <= bit < 30 for bit in bits)


def test_of_a_large_network_exact_runs_what_the_plain_loop_runs(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By turns a drawn fault and one of the campaign, of each layer one."""
    monkeypatch.setattr("engine.injection.check.self_check._FIRST_SECONDS", 0.0)
    seen: list[tuple[int, int]] = []

    class Watching(Injection):
        """Notes the layer and the number of the faults that it is given."""

        def replay(self, block: Any, layer: int, faults: WeightFaults, recorder: Any) -> None:
            """As its parent."""
            seen.append((layer, len(faults)))
            super().replay(block, layer, faults, recorder)

    plain, injection = deepcopy(model), Watching(model, images_of(model, 32, 0), MEMORY, "exact")
    own = every_bit_in(plain, 0, weights=1).joined(every_bit_in(plain, 1, weights=1))
    result = check(injection, plain, partial(images_of, plain), Extent(pairs=1, faults=own))
    assert seen == [(0, 1), (1, 1), (2, 1)]
    assert (result.pairs, result.differences) == (3 * 3, 0)


def test_the_campaigns_own_faults_are_among_those_looked_at(place: Place) -> None:
    weight = place(torch.ones(50))
    one, other = draw_flips(0, weight, 5, 0), draw_flips(1, weight, 3, 1)
    both = one.joined(other)
    assert len(both) == 8
    assert both.layer.tolist() == [0] * 5 + [1] * 3


class Altered(Injection):
    """A method that gives other logits than the plain loop, as long as a layer has not fallen back."""

    first_method: str
    plain: nn.Module
    alter: Callable[[Tensor, Tensor], Tensor]
    """of golden logits [images, classes] and those under a fault, what is recorded"""

    def replay(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Run the plain loop, and alter what it gives."""
        if self.method_of(layer) != self.first_method:
            super().replay(block, layer, faults, recorder)
            return
        images = torch.arange(block.count, device=block.logits.device)
        for row, logits in enumerate(naive_logits(self.plain, faults, block.images, len(block.images))):
            recorder.record(torch.full_like(images, row), images, self.alter(block.logits, logits[: block.count]))


def altered(model: nn.Module, method: str, alter: Callable[[Tensor, Tensor], Tensor]) -> CheckResult:
    injection = Altered(model, images_of(model, 32, 0), MEMORY, method)
    injection.first_method, injection.plain, injection.alter = method, deepcopy(model), alter
    return checked(injection, deepcopy(model), pairs=600)


def mask_what_is_not_critical(golden: Tensor, logits: Tensor) -> Tensor:
    is_critical = (logits.argmax(1) != golden.argmax(1)) | ~logits.isfinite().all(1)
    return torch.where(is_critical[:, None], logits, golden)


def predict_another_class(golden: Tensor, logits: Tensor) -> Tensor:
    """Critical pairs stay critical."""
    answers = logits.clone()
    for row in ((logits.argmax(1) != golden.argmax(1)) & logits.isfinite().all(1)).nonzero().squeeze(1).tolist():
        other = next(each for each in range(10) if each not in (int(golden[row].argmax()), int(logits[row].argmax())))
        answers[row, other] = logits[row].max() + 1
    return answers


def hide_what_is_not_finite(golden: Tensor, logits: Tensor) -> Tensor:
    """With the same prediction, and critical."""
    answers = torch.where(logits.isfinite().all(1)[:, None], logits, F.one_hot(logits.argmax(1), 10).float())
    return torch.where((answers.argmax(1) == golden.argmax(1))[:, None], logits, answers)


def test_every_severity_of_exact_is_judged_and_masked_pairs_of_fast_are_counted(model: nn.Module) -> None:
    result = altered(model, "exact", mask_what_is_not_critical)
    assert {each.layer for each in result.fallbacks} == {"first", "second", "head"}
    assert result.differences > 0
    result = altered(model, "fast", mask_what_is_not_critical)
    assert (result.differences, result.fallbacks) == (0, ())
    assert result.masked > 0


@pytest.mark.parametrize("alter", [predict_another_class, hide_what_is_not_finite])
def test_predictions_and_flags_of_critical_pairs_are_judged(
    model: nn.Module, alter: Callable[[Tensor, Tensor], Tensor]
) -> None:
    result = altered(model, "fast", alter)
    assert result.differences > 0
    assert {each.method for each in result.fallbacks} == {"exact"}


def test_a_pair_on_which_plain_loops_of_two_batch_shapes_disagree_is_undecided(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if rounding decided it: in batches of the block's length another class is ahead than in one twice as long.

    Where only the padded batch of the block has another class ahead, the plain loop on its images alone decides.
    """

    def rounded(model: nn.Module, faults: WeightFaults, images: Tensor, batch: int) -> Iterator[Tensor]:
        for logits in naive_logits(model, faults, images, batch):
            yield logits.roll(1, 1) if len(images) in lengths else logits

    lengths: set[int] = set()
    monkeypatch.setattr("engine.injection.check.self_check.naive_logits", rounded)
    plain, injection = deepcopy(model), Injection(model, images_of(model, 64, 0), MEMORY, "exact")
    lengths.add(len(injection.load(images_of(model, 13, 0)).images))
    assert 13 not in lengths
    assert checked(injection, plain, pairs=1).undecided == 0
    lengths.add(13)
    result = checked(injection, plain, pairs=1)
    assert (result.differences, result.fallbacks) == (0, ())
    assert result.undecided > 0
    lengths.add(2 * max(lengths))
    with pytest.raises(InputError, match=r"although the whole network is run"):
        checked(injection, plain, pairs=1)


@pytest.mark.parametrize("images", [13, 256])
def test_the_pairs_nearest_to_being_looked_at_are_compared(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch, images: int
) -> None:
    """One fault of many is wrong, in every layer, and the shortcut that made it so was all but refused.

    Also in a network that is so large that there is time for one fault of a layer only.
    """

    class AlmostRefused(Injection):
        """Masks what the last but one of the faults does, which is critical, where a check looks at doubt."""

        def replay(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
            super().replay(block, layer, faults, recorder)
            if recorder.looks_at_doubt and self.method_of(layer) == "fast":
                every = torch.arange(block.count, device=block.logits.device)
                row, doubt = torch.full_like(every, len(faults) - 2), torch.full_like(block.logits[:, 0], 0.999)
                recorder.record_certain(row, every, torch.zeros_like(doubt), doubt)

    monkeypatch.setattr("engine.injection.check.self_check._SHAPES", (images,))
    if images == 256:
        monkeypatch.setattr("engine.injection.check.self_check.LEAST_SECONDS", 0.0)
    plain, injection = deepcopy(model), AlmostRefused(model, images_of(model, 256, 0), MEMORY, "fast")
    nan_before_last = np.array([0, 1, 2, 33, 3])
    first, second, head = (every_bit_in(plain, layer, weights=1, seed=9).take(nan_before_last) for layer in range(3))
    own = first.joined(second).joined(head)
    result = check(injection, plain, partial(images_of, plain), Extent(pairs=3 * images + 1, faults=own))
    assert {each.layer for each in result.fallbacks} == {"first", "second", "head"}


def test_blocks_have_several_shapes(model: nn.Module) -> None:
    """Small and large ones, full and padded."""
    counts: list[int] = []

    class Watching(Injection):
        """Notes the sizes of its blocks."""

        def load(self, images: Tensor, audit: BlockAudit | None = None) -> GoldenBlock:
            counts.append(len(images))
            return super().load(images, audit)

    plain, injection = deepcopy(model), Watching(model, images_of(model, 256, 0), MEMORY, "exact")
    counts.clear()
    checked(injection, plain, pairs=12_000)
    assert len(set(counts)) >= 4
    assert min(counts) < 16 < max(counts)
    assert any(count % 8 for count in counts)


@pytest.mark.parametrize(("share", "blocks"), [(0.0, 1), (0.02, 1), (1.0, 4)])
def test_it_goes_on_for_its_share_of_the_campaigns_time(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch, share: float, blocks: int
) -> None:
    """By a clock that ticks at every look, and where the least time is over after the first block."""
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: 1e-3 * next(ticks), perf_counter=lambda: 1e-3 * next(ticks))
    monkeypatch.setattr("engine.injection.check.self_check.time", clock)
    monkeypatch.setattr("engine.injection.check.self_check.LEAST_SECONDS", 1e-3)
    shapes: list[int] = []

    def draw_images(count: int, turn: int) -> Tensor:
        shapes.append(turn)
        return images_of(plain, count, turn)

    plain, injection = deepcopy(model), Injection(model, images_of(model, 32, 0), MEMORY, "exact")
    faults = every_bit_in(plain, 0, weights=8)
    check(injection, plain, draw_images, Extent(share=share, faults=faults, campaign_images=100))
    assert len(set(shapes)) >= blocks
    assert (len(set(shapes)) == 1) == (blocks == 1)


def assert_right(injection: Injection, plain: nn.Module) -> None:
    """What the check has left gives the plain loop's critical pairs, on images that it has not seen."""
    block = injection.load(images_of(plain, 32, 10**6))
    golden = plain(block.images.clone())
    for layer in range(len(injection.names)):
        faults = every_bit_in(plain, layer, weights=4, seed=9)
        logits = torch.stack(list(naive_logits(plain, faults, block.images, len(block.images))))
        critical = (logits.argmax(2) != golden.argmax(1)) | ~logits.isfinite().all(2)
        found = np.concatenate([part.severity for part in injection.inject(block, faults)])
        assert ((found == 2) == critical[:, : block.count].cpu().numpy()).all()
