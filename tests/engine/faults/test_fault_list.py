"""Fault lists as columns."""

import numpy as np

from engine.faults.fault_list import FaultList
from engine.faults.population import FaultSites, Layer
from engine.faults.strata import Stratum

STRATA = (Stratum("first", (0,), (0, 15), 1, 900, 3), Stratum("second", (1,), (13, 31), 1, 100, 1))
LAYERS = (Layer(0, "conv1", (16, 3, 3, 3)), Layer(1, "fc", (10, 64)))


def make_list(model="bit_flip", stuck=(-1, -1, -1, -1)):
    sites = FaultSites(
        layer=np.array([1, 0, 1, 0], np.int32),
        weight_index=np.array([616, 88, 0, 431], np.int64),
        bit=np.array([13, 15, 31, 0], np.uint8),
        stuck=np.array(stuck, np.int8),
    )
    return FaultList.of(sites, LAYERS, model, STRATA)


def test_numbered_in_the_order_given():
    faults = make_list()
    assert len(faults) == 4
    assert faults.fault_id.tolist() == [0, 1, 2, 3]
    assert faults.fault_id.dtype == np.uint32


def test_execution_order_is_by_layer_then_channel():
    assert make_list().execution_order().tolist() == [1, 3, 2, 0]
    reversed_list = make_list().take(np.array([3, 2, 1, 0]))
    assert reversed_list.fault_id[reversed_list.execution_order()].tolist() == [1, 3, 2, 0]


def test_take_keeps_ids():
    taken = make_list().take(make_list().bit >= 15)
    assert taken.fault_id.tolist() == [1, 2]
    assert taken.weight_index.tolist() == [88, 0]
    assert (taken.population, taken.layers) == (1000, LAYERS)


def test_each_fault_stands_for_its_part_of_its_stratum():
    faults = make_list()
    assert faults.stratum.tolist() == [0, 0, 0, 1]
    assert faults.weight.tolist() == [300, 300, 300, 100]
    taken = faults.take(np.array([3, 0]))
    assert (taken.stratum.tolist(), taken.weight.tolist()) == ([1, 0], [100, 900])
    assert [each.faults for each in taken.strata] == [1, 1]


def test_tensor_index_is_the_c_order_place():
    assert list(make_list().tensor_index()) == ["(9, 40)", "(3, 0, 2, 1)", "(0, 0)", "(15, 2, 2, 2)"]


def test_models_name_the_polarity():
    assert list(make_list().models()) == ["bit_flip"] * 4
    assert list(make_list("stuck_at", (0, 1, 1, 0)).models()) == [
        "stuck_at_0",
        "stuck_at_1",
        "stuck_at_1",
        "stuck_at_0",
    ]
