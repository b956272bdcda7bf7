"""The population as an index space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.faults.population import FaultSites, Layer, Population

LAYERS = (Layer(0, "conv1", (2, 1, 3, 3)), Layer(1, "conv2", (3, 2, 1, 1)), Layer(2, "fc", (4, 5)))


@st.composite
def populations(draw):
    shapes = draw(st.lists(st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple), min_size=1, max_size=4))
    layers = tuple(Layer(index, f"layer{index}", shape) for index, shape in enumerate(shapes))
    model = draw(st.sampled_from(["bit_flip", "stuck_at_0", "stuck_at_1", "stuck_at"]))
    copies = {"stuck_at": 2, "bit_flip": draw(st.sampled_from([1, 2]))}.get(model, 1)
    chosen = draw(st.sets(st.integers(0, len(layers) - 1), min_size=1))
    bits = draw(st.sets(st.integers(0, 31), min_size=1, max_size=5))
    return Population(layers, model, copies, tuple(sorted(chosen)), tuple(sorted(bits)))


def enumerate_faults(population):
    """The population written out, in index order."""
    for layer in population.chosen:
        for weight in range(population.layers[layer].size):
            for bit in population.bits:
                for copy in range(population.copies):
                    fixed = {"bit_flip": -1, "stuck_at_0": 0, "stuck_at_1": 1, "stuck_at": copy}
                    yield layer, weight, bit, fixed[population.model]


@given(populations())
def test_decode_lists_every_fault_in_order(population):
    sites = population.decode(np.arange(len(population)))
    assert list(zip(*(column.tolist() for column in sites), strict=True)) == list(enumerate_faults(population))
    assert [column.dtype for column in sites] == [np.int32, np.int64, np.uint8, np.int8]


@given(populations(), st.data())
def test_encode_undoes_decode(population, data):
    index = np.array(data.draw(st.lists(st.integers(0, len(population) - 1))), dtype=np.int64)
    expected = index - index % population.repeats
    np.testing.assert_array_equal(population.encode(population.decode(index)), expected)


@pytest.mark.parametrize(
    ("model", "convention", "per_weight", "distinct_per_weight"),
    [("bit_flip", "x32", 32, 32), ("bit_flip", "x64", 64, 32), ("stuck_at_0", "x32", 32, 32),
     ("stuck_at_1", "x32", 32, 32), ("stuck_at", "x32", 64, 64), ("stuck_at", "x64", 64, 64)],
)  # fmt: skip
def test_faults_per_weight(model, convention, per_weight, distinct_per_weight):
    population = Population.whole(LAYERS, model, convention)
    weights = 18 + 6 + 20
    assert (len(population), population.distinct) == (weights * per_weight, weights * distinct_per_weight)


def test_x64_needs_both_polarities():
    with pytest.raises(InputError, match=r'population: "x64" does not apply to stuck_at_0; use "x32"'):
        Population.whole(LAYERS, "stuck_at_0", "x64")


def test_stuck_at_counts_both_polarities():
    with pytest.raises(ValueError, match="copies must be 2"):
        Population(LAYERS, "stuck_at", 1, (0,))


def test_a_population_beyond_32_bits_is_only_an_index_space():
    layers = (Layer(0, "wide", (100_000, 100_000)), Layer(1, "last", (2, 2)))
    population = Population.whole(layers, "stuck_at")
    assert len(population) == 64 * (10**10 + 4)
    sites = population.decode(np.array([64 * 10**10 - 1, 64 * 10**10]))
    expected = FaultSites(np.array([0, 1]), np.array([10**10 - 1, 0]), np.array([31, 0]), np.array([1, 0]))
    for column, values in zip(sites, expected, strict=True):
        np.testing.assert_array_equal(column, values)
