"""A format other than float32, from the population to the store; the screens are in `test_other_formats`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.config.campaign_config import FaultsConfig
from engine.errors import InputError
from engine.faults.csv_list import read_fault_list
from engine.faults.draw import draw_faults
from engine.faults.population import Layer, Population
from engine.formats.fault_model import FLIPPED, MODEL_OF_STUCK, STUCK_OF_MODEL
from engine.formats.float32 import FLOAT32
from engine.formats.registry import FORMATS, format_named
from engine.store import Store
from engine.store.read.fault_results import stored_format
from tests.engine.formats.signed8 import SIGNED8
from tests.engine.store.stored_campaigns import new_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from engine.formats.weight_format import WeightFormat

LAYERS = (Layer(0, "conv1", (6, 1, 5, 5)), Layer(1, "fc1", (120, 400)))
WEIGHTS = 6 * 25 + 120 * 400


def bits_of(*bits: int) -> np.ndarray:
    return np.array(bits, np.uint8)


@pytest.mark.parametrize("each", [*FORMATS.values(), SIGNED8], ids=lambda each: each.name)
def test_the_fields_of_a_format_are_all_its_bits(each: WeightFormat) -> None:
    bits = [bit for field in each.fields for bit in range(field.high, field.low - 1, -1)]
    assert bits == list(reversed(each.all_bits))
    assert all(field.width == field.high - field.low + 1 for field in each.fields)
    assert [each.field_of(bit).name for bit in (0, each.bits - 1)] == [each.fields[-1].name, each.fields[0].name]
    with pytest.raises(ValueError, match=f"no bit {each.bits}; use 0 to {each.bits - 1}"):
        each.field_of(each.bits)


def test_every_pattern_of_eight_bits_has_its_value() -> None:
    patterns = np.arange(256, dtype=np.uint32)
    assert (SIGNED8.encode(SIGNED8.decode(patterns)) == patterns).all()


def test_what_a_fault_makes_of_a_weight_of_eight_bits() -> None:
    golden = np.array([5, 5, 5, 5, -1], np.float32)
    stuck = np.array([FLIPPED, FLIPPED, 1, 0, 1], np.int8)
    faulty = SIGNED8.faulty_values(golden, bits_of(7, 0, 1, 2, 6), stuck)
    assert faulty.tolist() == [-123, 4, 7, 1, -1]
    assert faulty.dtype == np.float32
    assert SIGNED8.same(golden, faulty).tolist() == [False, False, False, False, True]


def test_a_format_says_where_its_fields_begin() -> None:
    assert FLOAT32.landmarks == "31 is the sign, 30 the highest of the exponent"
    assert SIGNED8.landmarks == "7 is the sign"


@pytest.mark.parametrize("widths", [(), (("sign", 0),), (("sign", 1), ("rest", 32))])
def test_a_format_without_bits_or_with_too_many_is_refused(widths: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(ValueError, match="1 to 32 bits in all"):
        replace(SIGNED8, widths=widths)


def test_the_codes_of_models_are_each_others_inverse() -> None:
    assert {stuck: MODEL_OF_STUCK[stuck] for stuck in STUCK_OF_MODEL.values()} == MODEL_OF_STUCK
    assert FLIPPED not in (0, 1)


def test_a_format_that_is_not_known_is_named() -> None:
    with pytest.raises(InputError, match="knows no such weight format; use float32"):
        format_named("float7")


def test_the_population_has_eight_faults_per_weight() -> None:
    population = Population.whole(LAYERS, "bit_flip", weight_format=SIGNED8)
    assert len(population) == 8 * WEIGHTS
    assert set(population.decode(np.arange(len(population))).bit.tolist()) == set(range(8))


def test_faults_are_drawn_among_eight_bits_and_keep_their_format() -> None:
    faults = draw_faults(FaultsConfig(count=2000), LAYERS, SIGNED8)
    assert faults.population == 8 * WEIGHTS
    assert set(faults.bit.tolist()) == set(range(8))
    assert faults.take(np.arange(3)).format is SIGNED8


def test_a_bit_that_the_format_lacks_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[faults\] bits: a weight in signed8 has no bit 30; use 0 to 7"):
        draw_faults(FaultsConfig(bits=(3, 30)), LAYERS, SIGNED8)


def test_a_list_names_bits_of_its_format(tmp_path: Path) -> None:
    path = tmp_path / "faults.csv"
    path.write_text("layer,weight_index,bit\nconv1,3,7\nfc1,9,0\n")
    faults = read_fault_list(path, LAYERS, "bit_flip", seed=0, weight_format=SIGNED8)
    assert (faults.bit.tolist(), faults.population, faults.format) == ([7, 0], 8 * WEIGHTS, SIGNED8)
    path.write_text("layer,weight_index,bit\nconv1,3,8\n")
    with pytest.raises(InputError, match=r"'8' is not a bit of a 8-bit weight; use 0 to 7 \(7 is the sign\)"):
        read_fault_list(path, LAYERS, "bit_flip", seed=0, weight_format=SIGNED8)
    assert read_fault_list(path, LAYERS, "bit_flip", seed=0).bit.tolist() == [8]


def test_a_stored_campaign_knows_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, SIGNED8.name, SIGNED8)
    new = new_campaign()
    strata = tuple(replace(each, bits=SIGNED8.all_bits) for each in new.faults.strata)
    faults = replace(new.faults, bit=(new.faults.bit % 8).astype(np.uint8), format=SIGNED8, strata=strata)
    store = Store.open(tmp_path)
    with store.lock():
        campaign = store.create(replace(new, faults=faults))
    rates = store.rates(campaign)
    store.close()
    assert rates.format is SIGNED8
    assert rates.population.tolist() == [[6 * 25] * 8, [120 * 400] * 8]
    assert rates.faults.sum() == len(faults)


def test_a_campaign_from_before_formats_is_of_float32() -> None:
    assert stored_format({"layers": []}) is FLOAT32
    with pytest.raises(InputError, match="'float7'"):
        stored_format({"weight_format": "float7"})
