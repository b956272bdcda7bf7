"""The screened method against the fast one: what it runs is the same, and what it does not run is not critical."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.injection import Injection
from engine.injection.methods import Thetas
from engine.models import load_model
from engine.severity import CRITICAL, SCREENED
from tests.engine.injection.networks import every_bit_in, faults_in, outcomes_of, seeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.injection.outcomes import Outcomes, WeightFaults
    from tests.engine.injection.networks import Place

MEMORY = 5 * 10**8


def severities(injection: Injection, images: Tensor, faults: WeightFaults) -> np.ndarray:
    outcomes: list[Outcomes] = outcomes_of(injection, images, faults)
    return np.concatenate([part.severity for part in outcomes])


def test_lenet5_every_layer_every_bit(place: Place) -> None:
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = place(load_model(ModelConfig(arch="lenet5"), dataset).model)
    images = place(torch.from_numpy(dataset.batch(np.arange(256))))
    fast, screened = (Injection(model, images, MEMORY, name) for name in ("fast", "screened"))
    assert not screened.notes
    for layer in range(5):
        faults = every_bit_in(model, layer, weights=6, seed=layer)
        expected, found = severities(fast, images, faults), severities(screened, images, faults)
        run = found != SCREENED
        assert ((found == CRITICAL) == (expected == CRITICAL))[run].all()
        assert not (expected[~run] == CRITICAL).any(), "a critical pair was screened"
        assert 0 < run.mean() < 0.5


def test_what_each_stage_screens_is_counted(place: Place) -> None:
    """By the bound alone are those that a method without a second stage leaves out, too."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    model, images = place(model.eval()), place(torch.rand(16, 1, 8, 8))
    both, first = (Injection(model, images, MEMORY, "screened", thetas=Thetas(0.3, t)) for t in (0.3, 1e-30))
    faults = every_bit_in(model, 0, weights=36)
    by_both, by_first = (outcomes_of(injection, images, faults) for injection in (both, first))
    screened = [sum(int((part.severity == SCREENED).sum()) for part in found) for found in (by_both, by_first)]
    by_change = [sum(part.screened_by_change for part in found) for found in (by_both, by_first)]
    assert screened[0] > screened[1] > 0
    assert by_change == [screened[0] - screened[1], 0]


def test_large_changes_are_run_whatever_the_gradient_says(place: Place) -> None:
    """Behind dead units the gradient is zero, and a large change wakes them up."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 3)).eval()
    second = model[2]
    assert isinstance(second, nn.Linear)
    second.bias.data = torch.tensor([5.0, 5, 5, -50, -50, -50])
    second.weight.data[:3] *= 1e-4
    model, images = place(model), place(torch.rand(32, 1, 2, 2) + 0.5)
    fast, screened = (Injection(model, images, MEMORY, name) for name in ("fast", "screened"))
    faults = every_bit_in(model, 0, weights=12)
    expected, found = severities(fast, images, faults), severities(screened, images, faults)
    assert (expected == CRITICAL).any()
    assert not ((found == SCREENED) & (expected == CRITICAL)).any()


def test_tied_images_are_run(place: Place) -> None:
    """A golden class that leads by nothing can lose to any change."""
    torch.manual_seed(0)
    model = seeded("lenet5", torch.randn(8, 1, 28, 28))
    head = model.get_submodule("fc3")
    assert isinstance(head, nn.Linear)
    head.weight.data[1] = head.weight.data[0]
    head.bias.data[:2] = 100.0
    model, images = place(model), place(torch.randn(16, 1, 28, 28))
    screened = Injection(model, images, MEMORY, "screened")
    faults = every_bit_in(model, 2, weights=4)
    assert (severities(screened, images, faults) != SCREENED).all()


def test_layers_without_a_known_growth_are_left_to_fast(place: Place) -> None:
    torch.manual_seed(0)

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.other, self.head = nn.Conv2d(1, 4, 3), nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 5)

        def forward(self, x: Tensor) -> Tensor:
            gated: Tensor = self.head((self.conv(x) * self.other(x)).flatten(1))
            return gated

    model, images = place(Gated().eval()), place(torch.randn(16, 1, 8, 8))
    screened, fast = (Injection(model, images, MEMORY, name) for name in ("screened", "fast"))
    assert [screened.method_of(layer) for layer in range(3)] == ["fast", "fast", "screened"]
    assert "faults in conv, other run as by fast" in screened.notes[0]
    faults = every_bit_in(model, 0, weights=4)
    assert (severities(screened, images, faults) == severities(fast, images, faults)).all()


class Cut(nn.Module):
    """A network whose gradient is not what changes do."""

    cut: Callable[[Tensor], Tensor]

    def __init__(self, cut: Callable[[Tensor], Tensor], classes: int = 4) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.head, self.cut = nn.Linear(6 * 36, classes), cut

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        return self.head(torch.relu(self.cut(self.conv2(x))).flatten(1))


def all_of(value: Tensor) -> Tensor:
    return value.detach()


def half_of(value: Tensor) -> Tensor:
    return value - 0.7 * value.detach() + 0.7 * value


@pytest.mark.parametrize("cut", [all_of, half_of])
def test_where_the_gradient_is_cut_off_pairs_are_run(cut: Callable[[Tensor], Tensor], place: Place) -> None:
    torch.manual_seed(0)
    model, images = place(Cut(cut).eval()), place(torch.randn(24, 1, 6, 6))
    fast, screened = (Injection(model, images, MEMORY, name) for name in ("fast", "screened"))
    assert any("gradient does not say" in note for note in screened.notes)
    assert screened.method_of(0) == "fast"
    assert screened.method_of(2) == "screened", "after the cut the gradient is right"
    faults = every_bit_in(model, 0, weights=8)
    assert np.array_equal(severities(fast, images, faults), severities(screened, images, faults))


def test_a_network_with_one_class_has_no_rival(place: Place) -> None:
    torch.manual_seed(0)
    model, images = place(Cut(nn.Identity(), classes=1).eval()), place(torch.randn(16, 1, 6, 6))
    screened = Injection(model, images, MEMORY, "screened")
    assert any("no second class" in note for note in screened.notes)
    faults = every_bit_in(model, 0, weights=4)
    found = severities(screened, images, faults)
    assert (found != SCREENED).all()
    assert np.array_equal(found == CRITICAL, severities(Injection(model, images, MEMORY, "exact"), images, faults) == 2)


def test_bits_that_change_a_weight_hugely_downwards_can_be_screened(place: Place) -> None:
    """Where nothing falls below zero they take what is there, and no more."""
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = place(load_model(ModelConfig(arch="lenet5"), dataset).model)
    images = place(torch.from_numpy(dataset.batch(np.arange(128))))
    fast, screened = (Injection(model, images, MEMORY, name) for name in ("fast", "screened"))
    index = np.arange(0, 48_000, 97)
    faults = faults_in(model, 2, index, np.full(len(index), 30))
    expected, found = severities(fast, images, faults), severities(screened, images, faults)
    left_out = found == SCREENED
    assert left_out.mean() > 0.1
    assert not (expected[left_out] == CRITICAL).any()
    assert ((found == CRITICAL) == (expected == CRITICAL))[~left_out].all()


def test_faulty_values_that_are_not_finite_are_run(place: Place) -> None:
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = place(load_model(ModelConfig(arch="lenet5"), dataset).model)
    images = place(torch.from_numpy(dataset.batch(np.arange(32))))
    faults = faults_in(model, 1, np.arange(6), np.zeros(6, dtype=np.int64))
    faults.value[:] = -np.inf, np.nan, np.inf, -3.4e38, 3.4e38, -np.inf
    found = severities(Injection(model, images, MEMORY, "screened"), images, faults)
    assert (found[[0, 1, 2, 5]] != SCREENED).all()
