"""The exact method against the naive loop, on trained networks and real images, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.exact.naive import naive_logits
from engine.injection.injection import Injection
from engine.injection.network.layers import injectable_modules
from engine.injection.recording import SeverityMatrix
from engine.models import load_model
from tests.engine.injection.networks import (
    bits_in_turn,
    every_bit_in,
    faults_in,
    judged_logits,
    replayed_logits,
    run_small_batches,
    same_to_the_bit,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from engine.injection.outcomes import WeightFaults
    from tests.engine.injection.networks import Place

MEMORY = 10**9


@pytest.fixture(scope="module")
def lenet5(place: Place) -> tuple[nn.Module, Tensor]:
    """The bundled network and 64 bundled images."""
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = load_model(ModelConfig(arch="lenet5"), dataset).model
    return place(model), place(torch.from_numpy(dataset.batch(np.arange(64))))


@pytest.fixture(scope="module")
def resnet20(shared_data: Path, place: Place) -> tuple[nn.Module, Tensor]:
    """The published network and 16 CIFAR-10 images."""
    dataset = load_dataset(DatasetConfig(name="cifar10", path=shared_data / "cifar10"))
    model = load_model(ModelConfig(arch="resnet20", weights=shared_data / "weights" / "resnet20-cifar10.th"), dataset)
    return place(model.model), place(torch.from_numpy(dataset.batch(np.arange(16))))


@pytest.fixture(scope="module")
def exact(lenet5: tuple[nn.Module, Tensor]) -> Injection:
    """The method under test on the bundled network, for those that leave that as it is."""
    return Injection(*lenet5, MEMORY, "exact")


@pytest.fixture(scope="module")
def judged_lenet5(lenet5: tuple[nn.Module, Tensor]) -> list[tuple[WeightFaults, Tensor]]:
    """Faults in each layer, and the logits of the plain loop, which are the same whatever the method."""
    model, images = lenet5
    faults = [every_bit_in(model, layer, weights=5, seed=layer) for layer in range(5)]
    return [(of_layer, judged_logits(model, images, of_layer)) for of_layer in faults]


def test_lenet5_every_layer_every_bit(
    lenet5: tuple[nn.Module, Tensor], exact: Injection, judged_lenet5: list[tuple[WeightFaults, Tensor]]
) -> None:
    block = exact.load(lenet5[1])
    for faults, expected in judged_lenet5:
        assert expected.isnan().any()
        assert same_to_the_bit(replayed_logits(exact, block, faults), expected)


def test_resnet20_every_layer(
    resnet20: tuple[nn.Module, Tensor], device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_small_batches(monkeypatch, device)
    model, images = resnet20
    injection = Injection(model, images, MEMORY, "exact")
    assert injection.notes == []
    block = injection.load(images)
    for layer in range(20):
        faults = bits_in_turn(model, layer, seed=layer)
        expected = judged_logits(model, block.images, faults)[:, : len(images)]
        assert same_to_the_bit(replayed_logits(injection, block, faults), expected)


def test_severities_follow_from_the_logits(
    lenet5: tuple[nn.Module, Tensor], exact: Injection, judged_lenet5: list[tuple[WeightFaults, Tensor]]
) -> None:
    model, images = lenet5
    faults, judged = judged_lenet5[1]
    (outcomes,) = exact.inject(exact.load(images), faults)
    golden, faulty = model(images).detach().cpu(), judged.cpu()
    nonfinite = ~faulty.isfinite().all(2)
    critical = nonfinite | (faulty.argmax(2) != golden.argmax(1))
    expected = torch.where(critical, 2, (faulty != golden).any(2).long())
    assert (torch.from_numpy(outcomes.severity) == expected).all()
    rows, columns = critical.nonzero(as_tuple=True)
    assert (outcomes.critical_fault == rows.numpy()).all()
    assert (outcomes.critical_image == columns.numpy()).all()
    assert (outcomes.prediction == faulty.argmax(2)[rows, columns].numpy()).all()
    assert (outcomes.nonfinite == nonfinite[rows, columns].numpy()).all()
    assert outcomes.nonfinite.any()
    assert not outcomes.nonfinite.all()


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_what_the_golden_class_lost_follows_from_the_logits(
    lenet5: tuple[nn.Module, Tensor], judged_lenet5: list[tuple[WeightFaults, Tensor]], method: str
) -> None:
    model, images = lenet5
    injection = Injection(model, images, MEMORY, method)
    golden_logits = model(images).cpu()
    for faults, judged in judged_lenet5:
        for outcomes in injection.inject(injection.load(images), faults):
            rows, columns = outcomes.critical_fault, outcomes.critical_image
            where = torch.from_numpy(outcomes.positions[rows])
            faulty = judged[where, columns].cpu().double()
            golden = golden_logits[columns].double()
            finite = faulty.isfinite().all(1)
            best = golden.argmax(1, keepdim=True)
            in_top5 = (faulty.argsort(dim=1, descending=True, stable=True)[:, :5] == best).any(1) & finite
            lost = (golden.softmax(1) - faulty.softmax(1)).gather(1, best).squeeze(1)
            assert (outcomes.golden_in_top5 == in_top5.numpy()).all()
            np.testing.assert_array_equal(np.isnan(outcomes.softmax_lost), ~finite.numpy())
            np.testing.assert_allclose(outcomes.softmax_lost[finite], lost[finite].detach().numpy(), atol=1e-5)
            assert outcomes.softmax_lost.dtype == np.float32


def test_of_equal_logits_the_lowest_class_is_the_best(place: Place, device: torch.device) -> None:
    golden = torch.tensor([[9.0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 9.0]])
    matrix = SeverityMatrix(1, place(golden))
    ties = torch.tensor([[1.0, 2, 1, 1, 1, 1, 1], [1.0, 2, 1, 1, 1, 1, 1]])
    matrix.record(torch.tensor([0, 0], device=device), torch.tensor([0, 1], device=device), place(ties))
    outcomes = matrix.outcomes(np.array([0]))
    assert outcomes.golden_in_top5.tolist() == [True, False]
    assert (outcomes.softmax_lost > 0.8).all()


def test_a_pair_that_is_recorded_again_is_as_it_was_recorded_last(place: Place, device: torch.device) -> None:
    golden = torch.tensor([[3.0, 1, 0], [3.0, 1, 0]])
    matrix = SeverityMatrix(1, place(golden))
    pairs = torch.tensor([0, 0], device=device), torch.tensor([0, 1], device=device)
    matrix.record(*pairs, place(torch.tensor([[0.0, 9, 0], [0.0, 9, 0]])))
    matrix.record(*pairs, place(torch.tensor([[3.0, 1, 0], [3.0, 3.1, 0]])))
    outcomes = matrix.outcomes(np.array([0]))
    assert outcomes.severity.tolist() == [[0, 2]]
    expected = golden[0].softmax(0)[0] - torch.tensor([3.0, 3.1, 0]).softmax(0)[0]
    np.testing.assert_allclose(outcomes.softmax_lost, [expected], rtol=1e-6)


def test_severities_do_not_depend_on_the_blocks(lenet5: tuple[nn.Module, Tensor], exact: Injection) -> None:
    model, images = lenet5
    faults = every_bit_in(model, 2, weights=20)
    (whole,) = exact.inject(exact.load(images), faults)
    parts = [
        outcomes.severity
        for start, stop in ((0, 3), (3, 20), (20, 64))
        for outcomes in exact.inject(exact.load(images[start:stop]), faults)
    ]
    assert (np.concatenate(parts, axis=1) == whole.severity).all()


def test_weights_are_as_before(lenet5: tuple[nn.Module, Tensor]) -> None:
    model, images = lenet5
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    faults = every_bit_in(model, 0, weights=2)
    injection = Injection(model, images, MEMORY, "exact")
    list(injection.inject(injection.load(images), faults))
    for _ in naive_logits(model, faults, images, 16):
        pass
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_dead_channel_is_masked(lenet5: tuple[nn.Module, Tensor]) -> None:
    """A channel whose activation is 0 everywhere hides every finite fault that keeps it so."""
    model, images = lenet5
    conv = injectable_modules(model)[0][1]
    assert conv.bias is not None
    bias = conv.bias.detach().clone()
    conv.bias.data[2] = -1e6
    try:
        injection = Injection(model, images, MEMORY, "exact")
        faults = faults_in(model, 0, np.full(30, 2 * 25 + 7), np.arange(30))
        (outcomes,) = injection.inject(injection.load(images), faults)
        assert (outcomes.severity == 0).all()
        assert same_to_the_bit(
            replayed_logits(injection, injection.load(images), faults), judged_logits(model, images, faults)
        )
    finally:
        conv.bias.data.copy_(bias)


def test_stuck_bit_that_holds_its_value_is_not_run(lenet5: tuple[nn.Module, Tensor], exact: Injection) -> None:
    model, images = lenet5
    faults = every_bit_in(model, 4, weights=1)
    unchanged = type(faults)(
        faults.positions, faults.layer, faults.weight_index, faults.value, np.zeros(len(faults), dtype=bool)
    )
    (outcomes,) = exact.inject(exact.load(images), unchanged)
    assert outcomes.severity.shape == (34, 64)
    assert (outcomes.severity == 0).all()


def test_outcomes_come_in_order_and_complete(lenet5: tuple[nn.Module, Tensor], exact: Injection) -> None:
    model, images = lenet5
    first, second, third = (every_bit_in(model, layer, weights=3) for layer in (0, 2, 4))
    faults = first.joined(second).joined(third)
    faults.positions[:] = np.arange(len(faults))[::-1]
    outcomes = list(exact.inject(exact.load(images), faults))
    assert (np.concatenate([part.positions for part in outcomes]) == faults.positions).all()
