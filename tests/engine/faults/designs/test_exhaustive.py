"""Every fault of some layers and bits: how many there are, which, and what drawing them takes."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.config.campaign_config import FaultsConfig
from engine.faults.draw import count_drawn, draw_faults, population_of
from engine.faults.population import Layer

if TYPE_CHECKING:
    from engine.faults.fault_list import FaultList

LENET5 = tuple(
    Layer(index, name, shape)
    for index, (name, shape) in enumerate(
        {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84)}.items()
    )
)
BYTES_PER_FAULT = 60
"""at most while all faults are drawn; 22 of them stay"""


def resnet20() -> tuple[Layer, ...]:
    shapes, width = [("conv1", (16, 3, 3, 3))], 16
    for stage, wide in ((1, 16), (2, 32), (3, 64)):
        for name in (f"layer{stage}.{block}.conv{number}" for block in range(3) for number in (1, 2)):
            shapes.append((name, (wide, width, 3, 3)))
            width = wide
    return tuple(Layer(index, *each) for index, each in enumerate([*shapes, ("linear", (10, width))]))


def counted(network: tuple[Layer, ...], **options: Any) -> tuple[int, int]:
    return count_drawn(FaultsConfig(sampling="exhaustive", **options), network)


def drawn(network: tuple[Layer, ...], **options: Any) -> FaultList:
    return draw_faults(FaultsConfig(sampling="exhaustive", **options), network)


@pytest.mark.parametrize(
    ("network", "options", "faults"),
    [
        (LENET5, {}, 61_470 * 32),
        (LENET5, {"model": "stuck_at"}, 61_470 * 64),
        (LENET5, {"model": "stuck_at_1"}, 61_470 * 32),
        (LENET5, {"layers": ("conv*",)}, (150 + 2_400) * 32),
        (LENET5, {"layers": ("conv1", "fc3"), "bits": (30, 31)}, (150 + 840) * 2),
        (resnet20(), {}, 8_586_752),
        (resnet20(), {"model": "stuck_at"}, 17_173_504),
        (resnet20(), {"bits": (30,)}, 268_336),
        (resnet20(), {"layers": ("conv1", "linear")}, (432 + 640) * 32),
    ],
)  # fmt: skip
def test_how_many_faults_there_are(network: tuple[Layer, ...], options: dict[str, Any], faults: int) -> None:
    assert counted(network, **options) == (faults, faults)


def test_each_fault_is_there_once_and_stands_for_itself() -> None:
    faults = drawn(LENET5, layers=("conv1", "fc3"), bits=(3, 30, 31), model="stuck_at")
    sites = np.stack([faults.layer, faults.weight_index, faults.bit, faults.stuck], axis=1)
    assert len(np.unique(sites, axis=0)) == len(faults) == (150 + 840) * 3 * 2
    assert {*faults.layer} == {0, 4}
    assert {*faults.bit} == {3, 30, 31}
    assert {*faults.stuck} == {0, 1}
    assert (faults.weight == 1).all()
    assert [(each.name, each.population, each.faults) for each in faults.strata] == [("exhaustive", 5940, 5940)]


def test_faults_stand_in_the_order_of_the_population_whatever_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.faults.sampling.DECODED_AT_ONCE", 700)
    config = FaultsConfig(sampling="exhaustive", layers=("conv1",))
    whole = population_of(config, LENET5).decode(np.arange(4800))
    faults = drawn(LENET5, layers=("conv1",))
    assert faults.fault_id.tolist() == list(range(4800))
    for column, expected in zip((faults.layer, faults.weight_index, faults.bit, faults.stuck), whole, strict=True):
        np.testing.assert_array_equal(column, expected)


def test_flips_that_the_population_counts_twice_are_there_once() -> None:
    assert counted(LENET5, population="x64") == (61_470 * 32, 61_470 * 64)
    faults = drawn(LENET5, layers=("conv1",), population="x64")
    assert (len(faults), faults.population, {*faults.weight}) == (4800, 9600, {2.0})


def test_little_is_held_for_each_fault() -> None:
    """Arrays alone, and nothing of the size of a Python object."""
    tracemalloc.start()
    try:
        faults = drawn(LENET5)
        held, peak = tracemalloc.get_traced_memory()
        faults.execution_order()
        _, in_order = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 23 * len(faults)
    assert peak < BYTES_PER_FAULT * len(faults)
    assert in_order < 2 * BYTES_PER_FAULT * len(faults)


def test_counting_draws_nothing() -> None:
    tracemalloc.start()
    try:
        counted(resnet20())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
