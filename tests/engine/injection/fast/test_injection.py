"""The fast method against the exact one: the same critical pairs, with the same prediction, whatever the rounding."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.fast.block import FastBlock
from engine.injection.fast.channel_updates import SingleUpdates
from engine.injection.fast.method import FastMethod
from engine.injection.injection import Injection
from engine.injection.network import folded
from engine.injection.network.layers import injectable_modules
from engine.injection.network.sizes import LIMITS
from engine.injection.outcomes import WeightFaults
from engine.injection.recording import SeverityMatrix
from engine.models import load_model
from engine.severity import CRITICAL
from tests.engine.injection.networks import (
    assert_same_critical_pairs,
    bits_in_turn,
    every_bit_in,
    faults_in,
    judged_logits,
    measure_little,
    outcomes_of,
    run_small_batches,
    seeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.injection.outcomes import Outcomes
    from tests.engine.injection.networks import Place

MEMORY = 5 * 10**8
WIDE, NARROW = torch.channels_last, torch.contiguous_format


@pytest.fixture(scope="module")
def lenet5(place: Place) -> Callable[[int], tuple[nn.Module, Tensor]]:
    """The bundled network and so many bundled images, a network of its own for each test."""

    def make(images: int) -> tuple[nn.Module, Tensor]:
        dataset = load_dataset(DatasetConfig(name="mnist"))
        model = load_model(ModelConfig(arch="lenet5"), dataset).model
        return place(model), place(torch.from_numpy(dataset.batch(np.arange(images))))

    return make


def assert_rest_is_rounding(
    fast: list[Outcomes], exact: list[Outcomes], model: nn.Module, images: Tensor, faults: WeightFaults
) -> None:
    """Where only one says masked, the faulty logits are golden's but for rounding."""
    ours, theirs = (np.concatenate([part.severity for part in outcomes]) for outcomes in (fast, exact))
    in_doubt = np.flatnonzero((ours != theirs).any(1))
    if not len(in_doubt):
        return
    logits, golden = judged_logits(model, images, faults.take(in_doubt)), model(images).detach()
    differs = torch.from_numpy(ours != theirs)[in_doubt]
    assert ((logits - golden).cpu()[differs].abs() < 1e-5 * float(golden.abs().max())).all()


@pytest.fixture(params=["own shapes", "shapes of a GPU"])
def shapes(request: pytest.FixtureRequest, device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's own sizes and memory order, or those of a GPU: faults share runs, each pair is a product."""
    if request.param == "own shapes":
        return
    monkeypatch.setitem(LIMITS, device.type, replace(LIMITS["cuda"], macs=LIMITS["cpu"].macs, thin_pairs=10**6))
    monkeypatch.setattr(folded, "_memory_format", lambda _, channels: WIDE if channels >= 32 else NARROW)
    monkeypatch.setattr(folded, "_is_on_gpu", lambda _: True)


@pytest.fixture(scope="module")
def exact_lenet5(
    lenet5: Callable[[int], tuple[nn.Module, Tensor]],
) -> tuple[nn.Module, Tensor, list[tuple[WeightFaults, list[Outcomes]]]]:
    """Network, images, and of faults in each layer what the exact method says, whose bits do not depend on shapes."""
    model, images = lenet5(128)
    exact = Injection(model, images, MEMORY, "exact")
    faults = [every_bit_in(model, layer, weights=6, seed=layer) for layer in range(5)]
    return model, images, [(of_layer, outcomes_of(exact, images, of_layer)) for of_layer in faults]


@pytest.mark.usefixtures("shapes")
def test_lenet5_every_layer_every_bit(
    exact_lenet5: tuple[nn.Module, Tensor, list[tuple[WeightFaults, list[Outcomes]]]],
) -> None:
    model, images, expected = exact_lenet5
    fast = Injection(model, images, MEMORY, "fast")
    assert 0 < fast.measured["tau"] < 1e-4
    for faults, theirs in expected:
        ours = outcomes_of(fast, images, faults)
        assert_same_critical_pairs(ours, theirs)
        assert_rest_is_rounding(ours, theirs, model, images, faults)


@pytest.mark.parametrize("brightness", [1.0, 30.0])
def test_values_around_overflow(lenet5: Callable[[int], tuple[nn.Module, Tensor]], brightness: float) -> None:
    """Whether a result is finite there depends on the order of its sum: `exact` says, wherever it can matter."""
    model, images = lenet5(64)
    images = brightness * images
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    sizes = 10.0 ** np.arange(31, 38.6, 0.25)
    for layer, (_, module) in enumerate(injectable_modules(model)):
        weights = np.random.default_rng(layer).choice(module.weight.numel(), 3, replace=False).repeat(2 * len(sizes))
        values = np.tile(np.concatenate([sizes, -sizes]), 3).astype(np.float32)
        count = len(values)
        changes = np.ones(count, dtype=bool)
        faults = WeightFaults(np.arange(count), np.full(count, layer, dtype=np.int32), weights, values, changes)
        ours, theirs = outcomes_of(fast, images, faults), outcomes_of(exact, images, faults)
        assert_same_critical_pairs(ours, theirs)
        nonfinite = np.concatenate([part.nonfinite for part in theirs])
        assert 0 < np.count_nonzero(nonfinite) < len(nonfinite)


@pytest.fixture(scope="module")
def resnet20(shared_data: Path, place: Place) -> tuple[nn.Module, Tensor]:
    """The published network and 16 CIFAR-10 images."""
    dataset = load_dataset(DatasetConfig(name="cifar10", path=shared_data / "cifar10"))
    config = ModelConfig(arch="resnet20", weights=shared_data / "weights" / "resnet20-cifar10.th")
    model = load_model(config, dataset).model
    return place(model), place(torch.from_numpy(dataset.batch(np.arange(16))))


@pytest.fixture(scope="module")
def exact_resnet20(
    resnet20: tuple[nn.Module, Tensor], device: torch.device
) -> list[tuple[WeightFaults, list[Outcomes]]]:
    """Faults in each layer, and what the exact method says of them, whose bits do not depend on its shapes."""
    model, images = resnet20
    with pytest.MonkeyPatch.context() as patch:
        run_small_batches(patch, device)
        exact = Injection(model, images, MEMORY, "exact")
        block = exact.load(images)
        faults = [bits_in_turn(model, layer, seed=layer) for layer in range(20)]
        return [(of_layer, list(exact.inject(block, of_layer))) for of_layer in faults]


@pytest.mark.usefixtures("shapes")
def test_resnet20_every_layer(
    resnet20: tuple[nn.Module, Tensor],
    exact_resnet20: list[tuple[WeightFaults, list[Outcomes]]],
    device: torch.device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_small_batches(monkeypatch, device)
    measure_little(monkeypatch)
    model, images = resnet20
    fast = Injection(model, images, MEMORY, "fast")
    block = fast.load(images)
    for faults, theirs in exact_resnet20:
        assert_same_critical_pairs([*fast.inject(block, faults)], theirs)


def test_ties_go_to_the_lowest_class(lenet5: Callable[[int], tuple[nn.Module, Tensor]]) -> None:
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


def test_a_pair_that_the_rest_of_the_network_hides_is_masked(lenet5: Callable[[int], tuple[nn.Module, Tensor]]) -> None:
    """What changes one feature map alone, and no weight reads that map: golden's logits, not almost golden's."""
    model, images = lenet5(64)
    conv2 = injectable_modules(model)[1][1]
    conv2.weight.data[:, 3] = 0
    exact, fast = Injection(model, images, MEMORY, "exact"), Injection(model, images, MEMORY, "fast")
    index = np.arange(3 * 25, 4 * 25, 3).repeat(32)
    in_map = faults_in(model, 0, index, np.tile(np.arange(32), len(index) // 32))
    finite = in_map.take(np.flatnonzero(np.abs(in_map.value) < 1e6))
    for injection in (exact, fast):
        assert all((outcomes.severity == 0).all() for outcomes in outcomes_of(injection, images, finite))


@pytest.mark.parametrize("hidden", [7, 8])
def test_where_places_in_the_batch_matter_exact_decides(hidden: int, place: Place) -> None:
    """A linear layer with an odd number of inputs has other bits in other rows of a batch."""
    torch.manual_seed(0)
    model = place(nn.Sequential(nn.Flatten(), nn.Linear(48, hidden), nn.ReLU(), nn.Linear(hidden, 5)))
    images = place(torch.randn(32, 3, 4, 4))
    exact, fast = Injection(model, images, 10**7, "exact"), Injection(model, images, 10**7, "fast")
    for layer in range(2):
        faults = every_bit_in(model, layer, weights=4)
        assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))


@pytest.mark.usefixtures("without_garbage_collection")
def test_a_block_is_let_go_of_with_its_last_reference(lenet5: Callable[[int], tuple[nn.Module, Tensor]]) -> None:
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


class Jumping(nn.Module):
    """What lies between two layers may jump where its input hardly changes."""

    def __init__(self, middle: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 5)
        self.middle = middle

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, 5]."""
        return self.head(self.middle(self.second(self.first(images).relu())).mean((2, 3)))


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: torch.round(4 * x) / 4,
        lambda x: x.sign_(),
        lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, -128, 127),
        nn.Hardshrink(0.1),
        nn.Threshold(0.1, 20),
        lambda x: torch.where(x > 0.1, x, 0.1 * x),
        lambda x: (8 * x).int() / 8,
        lambda x: x.bfloat16().float(),
        lambda x: x.gather(1, x.mean((2, 3), keepdim=True).argsort(1).expand_as(x)) * x,
    ],
)
def test_layers_before_a_jump_run_as_by_exact(middle: Callable[[Tensor], Tensor], place: Place) -> None:
    """No lead of a class is safe where the least rounding error may become any other."""
    torch.manual_seed(0)
    images = place(torch.rand(16, 3, 8, 8))
    injection = Injection(place(Jumping(middle).eval().requires_grad_(False)), images, 10**6, "fast")
    assert [injection.method_of(layer) for layer in range(3)] == ["exact", "exact", "fast"]
    (note,) = injection.notes
    assert note.startswith("faults in first, second run as by exact, which is slower: a value jumps (")


@pytest.mark.parametrize("middle", [nn.GELU(), nn.Softshrink(), lambda x: x.topk(2, 1).values, nn.GroupNorm(2, 4)])
def test_what_only_bends_stays_fast(middle: Callable[[Tensor], Tensor], place: Place) -> None:
    torch.manual_seed(0)
    net = place(Jumping(middle))
    net.head = place(nn.Linear(int(net.middle(place(torch.zeros(1, 4, 4, 4))).shape[1]), 5))
    injection = Injection(net.eval().requires_grad_(False), place(torch.rand(16, 3, 8, 8)), 10**6, "fast")
    assert {injection.method_of(layer) for layer in range(3)} == {"fast"}


class ByWidth(nn.Module):
    """Reads a size where channels have mixed: by place, and for what is not run by a fast layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, 5]."""
        x = self.first(images).relu()
        y = torch.fft.irfft2(torch.fft.rfft2(self.second(x)), s=x.shape[-2:])
        return self.head(y.relu().mean((2, 3)))


def test_a_size_that_is_read_again_is_found(place: Place) -> None:
    torch.manual_seed(0)
    net, images = place(ByWidth().eval().requires_grad_(False)), place(torch.rand(16, 3, 8, 8))
    fast, exact = Injection(net, images, 10**6, "fast"), Injection(net, images, 10**6, "exact")
    for layer in range(3):
        assert fast.method_of(layer) == "fast"
        faults = every_bit_in(net, layer, weights=4)
        assert_same_critical_pairs(outcomes_of(fast, images, faults), outcomes_of(exact, images, faults))
    assert fast.notes == []


def test_what_fails_when_rounding_is_measured_runs_as_by_exact(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise KeyError("relu_2")

    monkeypatch.setattr("engine.injection.fast.batches.FastBatches._run_padded", fail)
    torch.manual_seed(0)
    net, images = place(ByWidth().eval().requires_grad_(False)), place(torch.rand(16, 3, 8, 8))
    injection = Injection(net, images, 10**6, "fast")
    assert {injection.method_of(layer) for layer in range(3)} == {"exact"}
    assert "fast fails ('relu_2')" in injection.notes[0]


@pytest.mark.parametrize("arch", ["lenet5", "resnet20", "mobilenetv2"])
def test_a_pair_by_itself_is_what_it_is_among_others(
    arch: str, place: Place, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices run all images of a fault, pairs by themselves any of them: the same values, but for the order of sums."""
    run_small_batches(monkeypatch, device)
    measure_little(monkeypatch)
    images = torch.randn(13, *((1, 28, 28) if arch == "lenet5" else (3, 16, 16)))
    model, images = place(seeded(arch, images)), place(images)
    injection = Injection(model, images, 5 * 10**8, "fast")
    block = injection.load(images)
    assert isinstance(block, FastBlock)
    method = next(each for each in injection._ladder if isinstance(each, FastMethod))
    layers = len(injection.names)
    for layer in sorted({0, 1, layers // 2, layers - 2, layers - 1}):
        faults = every_bit_in(model, layer, weights=2)
        whole = np.concatenate([part.severity for part in outcomes_of(injection, images, faults)])
        chosen = torch.rand(len(faults), len(images)) < 0.3
        recorder = SeverityMatrix(len(faults), block.logits)
        with torch.inference_mode():
            pairs = (chosen & torch.as_tensor(faults.changes)[:, None]).to(device)
            single = SingleUpdates(method.updates(block, layer), *pairs.nonzero(as_tuple=True))
            method.run_some(block, layer, faults, recorder, single)
        found = recorder.outcomes(faults.positions).severity
        is_critical = whole == CRITICAL
        assert ((found == CRITICAL) == is_critical)[chosen.numpy()].all()
        assert ((found > 0) == (whole > 0))[chosen.numpy()].mean() > 0.9
        assert not found[~chosen.numpy()].any()


def test_of_one_class_too_exact_says_what_is_finite(place: Place) -> None:
    """An infinite weight times padding is NaN in the first stage of `fast`, and nothing in a convolution of torch."""
    first = nn.Conv2d(1, 8, 3, padding=1)
    first.weight.data[0, 0, 0, 0] = 1.0
    layers = first, nn.ReLU6(), nn.Conv2d(8, 8, 3, groups=2), nn.ReLU()
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1))
    images = place(torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0)) + 0.1)
    model = place(model.eval().requires_grad_(False))
    faults = faults_in(model, 0, np.array([0]), np.array([30]))
    assert np.isinf(faults.value).all()
    assert judged_logits(model, images, faults).isfinite().all()
    ours, theirs = (outcomes_of(Injection(model, images, MEMORY, name), images, faults) for name in ("fast", "exact"))
    assert not any(len(part.critical_fault) for part in theirs)
    assert_same_critical_pairs(ours, theirs)


@pytest.mark.parametrize(("layer", "left"), [(1, "some"), (4, "all")])
def test_large_faults_that_would_be_run_twice_are_run_by_exact_alone(
    lenet5: Callable[[int], tuple[nn.Module, Tensor]], layer: int, left: str, device: torch.device
) -> None:
    """Of the others none is: a flip of bit 20 changes so little that bounds may decide it."""
    if device.type != "cpu":
        pytest.skip("measured on a CPU alone")
    model, images = lenet5(64)
    fast, exact = (Injection(model, images, MEMORY, method) for method in ("fast", "exact"))
    weights = np.repeat(np.arange(200), 2)
    faults = faults_in(model, layer, weights, np.tile([30, 20], 200))
    (method,) = (each for each in fast._ladder if isinstance(each, FastMethod))
    block = fast.load(images)
    assert isinstance(block, FastBlock)
    with torch.inference_mode():
        by_exact = method._quicker_by_exact(block, layer, faults, method.updates(block, layer))
    assert not by_exact[1::2].any()
    assert by_exact[::2].all() if left == "all" else 0 < by_exact[::2].sum() < 200
    ours, theirs = outcomes_of(fast, images, faults), outcomes_of(exact, images, faults)
    assert_same_critical_pairs(ours, theirs)
    by_fast, by_exact_too = (np.concatenate([part.severity for part in outcomes]) for outcomes in (ours, theirs))
    np.testing.assert_array_equal(by_fast[by_exact], by_exact_too[by_exact])
