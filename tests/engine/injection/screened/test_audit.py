"""What an audit draws, and what it tells of the screened pairs that it runs."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.injection.injection import Injection
from engine.injection.methods import Thetas
from engine.injection.screened.audit import AuditPlan
from engine.models import load_model
from engine.severity import CRITICAL, SCREENED
from tests.engine.injection.networks import every_bit_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.injection.outcomes import Outcomes
    from tests.engine.injection.networks import Place

MEMORY = 5 * 10**8
LAYERS = np.array([1, 0, 0, 2, 1, 1, 0, 2], dtype=np.int32)


def plan_of(pairs: int = 400, faults: int = 3, seed: int = 0) -> AuditPlan:
    return AuditPlan(LAYERS, images=100, pairs=pairs, faults=faults, seed=seed)


def pairs_of(plan: AuditPlan, layer: int, edges: list[int], theta: float = 0.3) -> set[tuple[int, int]]:
    """Position and rank of what is drawn, block by block."""
    positions = np.flatnonzero(layer == LAYERS)[::-1]
    found = []
    for start, stop in pairwise(edges):
        drawn = plan.of_ranks(start, stop).drawn(layer, theta, positions)
        found += [*zip(positions[drawn.fault].tolist(), (drawn.image + start).tolist(), strict=True)]
    assert len(set(found)) == len(found)
    return set(found)


@given(st.sets(st.integers(1, 99)), st.integers(0, 5))
def test_blocks_do_not_change_what_is_drawn(cuts: set[int], seed: int) -> None:
    plan = plan_of(seed=seed)
    for layer in range(3):
        assert pairs_of(plan, layer, [0, *sorted(cuts), 100]) == pairs_of(plan, layer, [0, 100])


def test_every_pair_is_as_likely_as_any_other() -> None:
    counts = np.zeros((len(LAYERS), 100))
    draws = 300
    for seed in range(draws):
        plan = plan_of(seed=seed)
        for layer in range(3):
            for position, rank in pairs_of(plan, layer, [0, 100]):
                counts[position, rank] += 1
    expected = draws / 2  # 400 of 800 pairs
    assert abs(counts.mean() - expected) < 1
    assert (abs(counts.mean(1) - expected) < 5).all(), "no fault is drawn for more often"
    assert (abs(counts - expected) < 6 * np.sqrt(expected / 2)).all(), "nor is any pair"


def test_a_layer_is_drawn_for_anew_when_its_theta_falls() -> None:
    plan = plan_of()
    before, after = (pairs_of(plan, 1, [0, 100], theta) for theta in (0.3, 0.1))
    assert len(before) == len(after)
    assert before != after
    assert pairs_of(plan, 1, [0, 100], 0.3) == before


def test_whole_faults_are_spread_over_the_layers_as_the_faults_are() -> None:
    drawn = [plan_of(seed=seed).of_ranks(0, 100) for seed in range(200)]
    whole = [sum(int(each.drawn(layer, 0.3, np.flatnonzero(layer == LAYERS)).whole.sum()) for layer in range(3))
             for each in drawn]  # fmt: skip
    assert set(whole) == {3}
    of_first = [int(each.drawn(0, 0.3, np.array([1, 2, 6])).whole.sum()) for each in drawn]
    assert abs(np.mean(of_first) - 3 * 3 / 8) < 0.2


@pytest.fixture(scope="module")
def lenet5(place: Place) -> tuple[nn.Module, Tensor]:
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = load_model(ModelConfig(arch="lenet5"), dataset).model
    return place(model), place(torch.from_numpy(dataset.batch(np.arange(48))))


@pytest.fixture(scope="module")
def made(lenet5: tuple[nn.Module, Tensor]) -> Callable[[str, float], Injection]:
    """The injection of a method and a theta, which is the same for every example."""
    return cache(lambda method, theta: Injection(*lenet5, MEMORY, method, thetas=Thetas(bound=theta)))


@settings(max_examples=8)
@given(st.integers(0, 4), st.sampled_from([0.3, 30.0, 1e4]), st.integers(0, 3))
def test_what_is_drawn_is_run_as_by_fast(
    lenet5: tuple[nn.Module, Tensor], made: Callable[[str, float], Injection], layer: int, theta: float, seed: int
) -> None:
    """Where theta is too large the audit finds misses, which are critical pairs as any others."""
    model, images = lenet5
    faults = every_bit_in(model, layer, weights=6, seed=seed)
    plan = AuditPlan(faults.layer * 0 + layer, len(images), pairs=len(faults) * len(images) // 4, faults=20, seed=seed)
    expected: list[Outcomes] = []
    found: list[Outcomes] = []
    for injection, into in ((made("fast", 0.3), expected), (made("screened", theta), found)):
        into += injection.inject(injection.load(images, plan.of_ranks(0, len(images))), faults)
    severity = np.concatenate([each.severity for each in expected])
    (outcomes,) = found
    audit = outcomes.audit
    assert audit is not None
    drawn = plan.of_ranks(0, len(images)).drawn(layer, theta, faults.positions)
    single = {*zip(drawn.fault.tolist(), drawn.image.tolist(), strict=True)}
    left_out = outcomes.severity == SCREENED
    left_out[audit.fault, audit.image] = True
    for drawn_as, wanted in ((0, single), (1, {(f, i) for f in np.flatnonzero(drawn.whole) for i in range(48)})):
        rows = audit.drawn_as == drawn_as
        audited = {*zip(audit.fault[rows].tolist(), audit.image[rows].tolist(), strict=True)}
        assert audited == {pair for pair in wanted if left_out[pair]}, "all that were drawn and are left out"
    of_audited = severity[audit.fault, audit.image]
    assert ((audit.severity == CRITICAL) == (of_audited == CRITICAL)).all()
    assert (outcomes.severity[audit.fault, audit.image] == np.where(of_audited == CRITICAL, CRITICAL, SCREENED)).all()
    assert (audit.bound <= theta).all()
    is_run = outcomes.severity != SCREENED
    assert ((outcomes.severity == CRITICAL) == (severity == CRITICAL))[is_run].all()
    listed = {*zip(outcomes.critical_fault.tolist(), outcomes.critical_image.tolist(), strict=True)}
    assert listed == {*zip(*(places.tolist() for places in np.nonzero(outcomes.severity == CRITICAL)), strict=True)}
