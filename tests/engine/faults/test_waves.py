"""Waves: random samples of every stratum, which add up to all faults."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.config.campaign_config import FaultsConfig
from engine.faults.draw import draw_faults
from engine.faults.fault_list import FaultList
from engine.faults.population import Layer
from engine.faults.strata import Stratum
from engine.faults.waves import LOOKS, SHARES, in_waves, wave_stops

LAYERS = (Layer(0, "conv", (4, 2, 3, 3)), Layer(1, "fc", (10, 64)))


def drawn(count: int) -> FaultList:
    return draw_faults(FaultsConfig(count=count), LAYERS)


def strata_of(faults: FaultList, sizes: list[int]) -> FaultList:
    strata = tuple(Stratum(str(number), (0,), (0,), 1, 10_000, size) for number, size in enumerate(sizes))
    stratum = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    return replace(faults, strata=strata, stratum=stratum)


@given(st.lists(st.integers(0, 70), min_size=1, max_size=6).filter(any), st.integers(0, 99))
def test_each_wave_ends_with_its_share_of_each_stratum(sizes: list[int], seed: int) -> None:
    faults = in_waves(strata_of(drawn(sum(sizes)), sizes), seed)
    for number, size in enumerate(sizes):
        waves = faults.wave[faults.stratum == number]
        ran = [int((waves <= wave).sum()) for wave in range(LOOKS)]
        assert ran == [int(np.ceil(size * share)) for share in SHARES]


def test_a_campaign_that_does_not_stop_has_one_wave() -> None:
    faults = drawn(100)
    assert not faults.wave.any()
    assert wave_stops(faults.wave) == [100]


def test_waves_are_drawn_apart_from_the_faults_and_by_the_seed() -> None:
    """The faults of a sample ascend, so that a wave of the first ones would be of the first layer."""
    faults = drawn(3200)
    first, other = (in_waves(faults, seed).wave == 0 for seed in (1, 2))
    assert wave_stops(in_waves(faults, 1).wave) == [100, 200, 400, 800, 1600, 3200]
    assert (first != other).any()
    assert (first == (in_waves(faults, 1).wave == 0)).all()
    assert 35 < np.flatnonzero(first).mean() / 32 < 65


def test_in_execution_order_waves_come_one_after_the_other() -> None:
    faults = in_waves(drawn(500), 0)
    in_order = faults.take(faults.execution_order())
    assert (np.diff(in_order.wave.astype(int)) >= 0).all()
    for wave in range(LOOKS):
        assert (np.diff(in_order.layer[in_order.wave == wave]) >= 0).all()


def test_the_first_waves_alone_have_the_same_order_and_weigh_more() -> None:
    faults = in_waves(drawn(320), 0)
    rows = np.sort(faults.execution_order()[:40])
    some = faults.take(rows)
    assert (some.fault_id[some.execution_order()] == faults.fault_id[faults.execution_order()[:40]]).all()
    assert some.weight[0] == 8 * faults.weight[0]
