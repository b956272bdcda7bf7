"""Bit arithmetic on float32 patterns."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats.float32 import FLOAT32

patterns = st.integers(0, 2**32 - 1)
bits = st.integers(0, 31)


def as_float(*pattern):
    return np.array(pattern, dtype=np.uint32).view(np.float32)


def fault(pattern, bit, stuck):
    faulty = FLOAT32.faulty_values(as_float(pattern), np.array([bit], np.uint8), np.array([stuck], np.int8))
    assert faulty.dtype == np.float32
    return int(faulty.view(np.uint32)[0])


@given(patterns, bits)
def test_a_flip_changes_one_bit_and_a_second_one_restores_it(pattern, bit):
    flipped = fault(pattern, bit, -1)
    assert flipped ^ pattern == 1 << bit
    assert fault(flipped, bit, -1) == pattern


@given(patterns, bits, st.sampled_from([0, 1]))
def test_stuck_at_sets_one_bit_and_leaves_the_others(pattern, bit, stuck):
    faulty = fault(pattern, bit, stuck)
    assert (faulty >> bit) & 1 == stuck
    assert (faulty ^ pattern) & ~(1 << bit) == 0
    assert fault(faulty, bit, stuck) == faulty


@given(patterns, bits)
def test_a_stuck_bit_that_holds_its_value_changes_nothing(pattern, bit):
    golden = as_float(pattern)
    held = (pattern >> bit) & 1
    columns = (np.array([bit], np.uint8), np.array([held], np.int8))
    assert FLOAT32.same(golden, FLOAT32.faulty_values(golden, *columns)).all()
    assert fault(pattern, bit, 1 - held) == fault(pattern, bit, -1)


@pytest.mark.parametrize(
    ("golden", "bit", "stuck", "faulty"),
    [
        (1.0, 30, -1, float("inf")),  # exponent 0x7f becomes 0xff, mantissa 0
        (1.0, 31, -1, -1.0),
        (-1.0, 31, 0, 1.0),
        (1.0, 31, 1, -1.0),
        (0.5, 23, -1, 1.0),
        (1.0, 22, -1, 1.5),
        (0.0, 0, -1, 2.0**-149),  # the smallest subnormal
        (0.0, 30, 1, 2.0),
        (float("-inf"), 30, -1, -1.0),
    ],
)
def test_known_values(golden, bit, stuck, faulty):
    pattern = struct.unpack("<I", struct.pack("<f", golden))[0]
    assert fault(pattern, bit, stuck) == struct.unpack("<I", struct.pack("<f", faulty))[0]


@pytest.mark.parametrize("nan", [0x7FC00000, 0x7F800001, 0xFFC12345, 0x7FBFFFFF])
def test_nan_payloads_survive(nan):
    assert fault(nan, 22, -1) == nan ^ (1 << 22)
    assert fault(nan, 31, -1) == nan ^ (1 << 31)
    assert fault(nan, 30, 1) == nan


def test_a_flip_of_bit_30_can_give_nan():
    assert np.isnan(as_float(fault(0x3FC00000, 30, -1)))  # 1.5


def test_same_bits_is_not_equality():
    nan, other_nan = 0x7FC00000, 0x7FC00001
    golden = as_float(nan, nan, 0x00000000, 0x3F800000)
    faulty = as_float(nan, other_nan, 0x80000000, 0x3F800000)
    assert FLOAT32.same(golden, faulty).tolist() == [True, False, False, True]


def test_each_fault_has_its_own_bit_and_model():
    golden = np.array([1.0, 1.0, 1.0], dtype=np.float32)
    faulty = FLOAT32.faulty_values(golden, np.array([31, 30, 23], np.uint8), np.array([-1, 1, 0], np.int8))
    assert faulty.tolist() == [-1.0, float("inf"), 0.5]
