"""The faults a config asks for."""

import numpy as np
import pytest

from engine.config.campaign_config import FaultsConfig
from engine.errors import InputError
from engine.faults.draw import draw_faults
from engine.faults.population import Layer

LENET5 = (
    Layer(0, "conv1", (6, 1, 5, 5)),
    Layer(1, "conv2", (16, 6, 5, 5)),
    Layer(2, "fc1", (120, 400)),
    Layer(3, "fc2", (84, 120)),
    Layer(4, "fc3", (10, 84)),
)


def draw(**options):
    return draw_faults(FaultsConfig(**options), LENET5)


@pytest.mark.parametrize(
    ("options", "faults", "population"),
    [
        ({}, 16_501, 61_470 * 32),
        ({"population": "x64"}, 16_571, 61_470 * 64),
        ({"model": "stuck_at"}, 16_571, 61_470 * 64),
        ({"model": "stuck_at_0"}, 16_501, 61_470 * 32),
        ({"count": 100}, 100, 61_470 * 32),
        ({"error_margin": 0.05, "confidence": 0.95}, 384, 61_470 * 32),
    ],
)
def test_how_many(options, faults, population):
    drawn = draw(**options)
    assert (len(drawn), drawn.population) == (faults, population)


def test_filters_shrink_the_population_before_the_formula():
    drawn = draw(layers=["fc*", "conv1"], bits=[31, 30, 30])
    assert drawn.population == (61_470 - 2_400) * 2
    assert len(drawn) == 14_586
    assert set(drawn.layer.tolist()) == {0, 2, 3, 4}
    assert set(drawn.bit.tolist()) == {30, 31}
    assert drawn.layers == LENET5


def test_a_small_x64_population_is_drawn_whole():
    drawn = draw(layers=["conv1"], bits=[30], population="x64")
    assert (len(drawn), drawn.population) == (150, 300)
    assert drawn.weight_index.tolist() == list(range(150))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"layers": ["fc1", "fc9"]},
            r"\[faults\] layers: 'fc9' matches no layer; the injectable layers are conv1, conv2",
        ),
        ({"layers": ["conv1"], "bits": [30], "count": 151}, r"\[faults\] count: 151 faults cannot be drawn from 150"),
        ({"error_margin": 0.99, "confidence": 0.1}, r"\[faults\] error_margin: 0.99 asks for no fault; lower it"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(options, message):
    with pytest.raises(InputError, match=message):
        draw(**options)


@pytest.fixture
def fault_csv(tmp_path):
    path = tmp_path / "faults.csv"
    path.write_text("layer,weight_index,bit\nfc1,0,30\nconv1,3,30\nfc1,9,2\nfc2,1,30\nfc1,5,30\n", encoding="utf-8")
    return path


def test_filters_pick_rows_of_a_list_and_keep_their_ids(fault_csv):
    drawn = draw(sampling="list", list=fault_csv, layers=["fc1"], bits=[30])
    assert drawn.fault_id.tolist() == [0, 4]
    assert drawn.weight_index.tolist() == [0, 5]
    assert drawn.population == 48_000


def test_count_draws_rows_of_a_list_that_keep_their_ids(fault_csv):
    drawn = [draw(sampling="list", list=fault_csv, count=3, seed=seed) for seed in range(30)]
    assert all(len(set(faults.fault_id.tolist())) == 3 for faults in drawn)
    assert {fault for faults in drawn for fault in faults.fault_id.tolist()} == {0, 1, 2, 3, 4}
    again = draw(sampling="list", list=fault_csv, count=3, seed=7)
    assert again.fault_id.tolist() == drawn[7].fault_id.tolist() == sorted(drawn[7].fault_id.tolist())
    whole = draw(sampling="list", list=fault_csv)
    assert again.weight_index.tolist() == whole.weight_index[again.fault_id].tolist()
    assert draw(sampling="list", list=fault_csv, count=5).fault_id.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 6}, r"\[faults\] count: 6 is more than the 5 rows of .*faults.csv that there are; give at most"),
        ({"count": 3, "bits": [2, 31]}, r"count: 3 is more than the 1 rows of .* that there are with these layers and"),
    ],
)
def test_more_rows_than_a_list_has_are_refused(fault_csv, options, message):
    with pytest.raises(InputError, match=message):
        draw(sampling="list", list=fault_csv, **options)


def test_a_list_of_one_polarity_has_no_x64_population(fault_csv):
    with pytest.raises(InputError, match=r'\[faults\] population: "x64" does not apply to stuck_at_1'):
        draw(sampling="list", list=fault_csv, model="stuck_at_1", population="x64")


def test_polarities_of_a_list_do_not_depend_on_filters(fault_csv):
    options = {"sampling": "list", "list": fault_csv, "model": "stuck_at", "seed": 3}
    everything, filtered = draw(**options), draw(**options, layers=["fc1"])
    np.testing.assert_array_equal(filtered.stuck, everything.stuck[[0, 2, 4]])


def test_a_filter_no_row_passes(fault_csv):
    with pytest.raises(
        InputError, match=r"\[faults\] list: no row of .*faults\.csv passes the filters; widen layers or bits"
    ):
        draw(sampling="list", list=fault_csv, layers=["fc3"])
