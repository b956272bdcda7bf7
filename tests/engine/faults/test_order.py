"""The order of execution."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.faults.order import execution_order

FAULTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=60)


def test_one_fault_of_each_channel_before_the_second_of_any():
    layer = np.array([0, 0, 0, 0, 0, 1])
    channel = np.array([0, 0, 0, 1, 2, 0])
    assert execution_order(layer, channel, np.arange(6), np.zeros(6, np.int64)).tolist() == [0, 3, 4, 1, 2, 5]


@given(FAULTS, st.randoms(use_true_random=False))
def test_layers_ascend_and_channels_take_turns(sites, random):
    layer, channel = (np.array([site[i] for site in sites], dtype=np.int64) for i in (0, 1))
    fault_id = np.arange(len(sites))
    random.shuffle(fault_id)
    order = execution_order(layer, channel, fault_id, np.zeros(len(sites), np.int64))
    assert sorted(order.tolist()) == list(range(len(sites)))
    assert (np.diff(layer[order]) >= 0).all()
    seen: dict[tuple[int, int], list[int]] = {}
    turns = []
    for position in order:
        of_channel = seen.setdefault((layer[position], channel[position]), [])
        turns.append((layer[position], len(of_channel)))
        of_channel.append(fault_id[position])
    assert turns == sorted(turns)
    assert all(ids == sorted(ids) for ids in seen.values())


def test_a_wave_is_run_in_the_same_order_after_the_last_one():
    layer = np.array([1, 0, 1, 0])
    wave = np.array([0, 1, 1, 0])
    assert execution_order(layer, np.zeros(4, np.int64), np.arange(4), wave).tolist() == [3, 0, 1, 2]
