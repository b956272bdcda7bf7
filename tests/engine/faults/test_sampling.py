"""Sample sizes and network sampling."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.faults.designs.design import StratumSize
from engine.faults.population import FaultSites, Layer, Population
from engine.faults.sampling import sample, sample_size

SMALL = (Layer(0, "a", (2, 2)), Layer(1, "b", (3, 1)))
LENET5, RESNET20, RESNET18 = 61_470, 268_336, 11_164_352


@pytest.mark.parametrize(
    ("population", "expected"),
    [(LENET5 * 32, 16_501.41), (LENET5 * 64, 16_570.91), (RESNET20 * 64, 16_624.89), (RESNET18 * 32, 16_640.22)],
)
def test_known_sample_sizes(population, expected):
    assert sample_size(population, 0.01, 0.99) == pytest.approx(expected, abs=0.005)


def test_a_confidence_that_asks_for_nothing_needs_no_faults():
    assert sample_size(LENET5 * 32, 0.01, 1e-308) == 0


def test_the_limit_of_an_endless_population():
    assert sample_size(10**18, 0.01, 0.99) == pytest.approx(16_641)


def test_other_levels_take_the_normal_quantile():
    t = 1.9599639845400545
    assert sample_size(10**15, 0.05, 0.95) == pytest.approx(t**2 * 0.25 / 0.05**2)


@given(st.integers(1, 10**12), st.floats(1e-4, 0.99), st.floats(0.01, 0.9999999))
def test_a_sample_never_exceeds_its_population_and_a_tighter_margin_never_needs_less(
    population, error_margin, confidence
):
    n = sample_size(population, error_margin, confidence)
    assert 0 < n <= population * (1 + 1e-12)
    assert n <= sample_size(population, error_margin / 2, confidence) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("error_margin", "confidence", "field"),
    [(0, 0.99, "error_margin"), (1, 0.99, "error_margin"), (-0.1, 0.99, "error_margin"), (0.01, 1, "confidence"),
     (0.01, 0, "confidence"), (float("nan"), 0.99, "error_margin")],
)  # fmt: skip
def test_a_margin_or_confidence_that_is_none(error_margin, confidence, field):
    with pytest.raises(InputError, match=rf"\[faults\] {field}: .* is not between 0 and 1"):
        sample_size(1000, error_margin, confidence)


def index_of(faults, population):
    return population.encode(FaultSites(faults.layer, faults.weight_index, faults.bit, faults.stuck))


@given(st.integers(0, 64 * 7), st.integers(0, 2**32), st.sampled_from(["bit_flip", "stuck_at_1", "stuck_at"]))
def test_a_sample_is_distinct_sorted_and_repeatable(n, seed, model):
    population = Population.whole(SMALL, model)
    n = min(n, population.distinct)
    faults = sample([StratumSize("network", population, n)], seed)
    assert len(faults) == n
    assert (np.diff(index_of(faults, population)) > 0).all()
    assert faults.fault_id.tolist() == list(range(n))
    assert sorted(faults.execution_order().tolist()) == list(range(n))
    again = sample([StratumSize("network", population, n)], seed)
    np.testing.assert_array_equal(index_of(faults, population), index_of(again, population))


def test_the_whole_population_can_be_drawn():
    population = Population.whole(SMALL, "stuck_at")
    faults = sample([StratumSize("network", population, len(population))], 1)
    assert index_of(faults, population).tolist() == list(range(len(population)))
    assert (faults.model, faults.population) == ("stuck_at", len(population))


def test_x64_draws_a_flip_at_most_once():
    population = Population.whole(SMALL, "bit_flip", "x64")
    faults = sample([StratumSize("network", population, population.distinct)], 3)
    sites = set(zip(faults.layer.tolist(), faults.weight_index.tolist(), faults.bit.tolist(), strict=True))
    assert len(sites) == population.distinct == 7 * 32
    assert faults.population == 7 * 64


def test_more_than_there_are():
    with pytest.raises(InputError, match=r"\[faults\] count: 225 faults cannot be drawn from 224; lower it"):
        sample([StratumSize("network", Population.whole(SMALL, "bit_flip"), 225)], 0)


def test_another_seed_draws_other_faults():
    population = Population.whole((Layer(0, "a", (100, 100)),), "bit_flip")
    assert (
        sample([StratumSize("network", population, 50)], 1).weight_index.tolist()
        != sample([StratumSize("network", population, 50)], 2).weight_index.tolist()
    )


def test_uniform_over_layers_bits_and_polarities():
    population = Population.whole((Layer(0, "a", (100, 10)), Layer(1, "b", (300, 10))), "stuck_at")
    faults = sample([StratumSize("network", population, 20_000)], 7)
    assert (faults.layer == 0).mean() == pytest.approx(0.25, abs=0.015)
    assert faults.stuck.mean() == pytest.approx(0.5, abs=0.015)
    assert np.bincount(faults.bit, minlength=32) / 20_000 == pytest.approx(np.full(32, 1 / 32), abs=0.006)


def test_memory_is_of_the_sample_not_of_the_population():
    population = Population.whole((Layer(0, "wide", (100_000, 100_000)),), "bit_flip")
    tracemalloc.start()
    faults = sample([StratumSize("network", population, 16_641)], 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(faults) == 16_641
    assert peak < 10 * 2**20
