import numpy as np
import pytest

from engine.figures.axis import Axis, round_step, tick_labels


@pytest.mark.parametrize(
    ("high", "most", "ticks"),
    [
        (16_501, 6, [0, 5000, 10_000, 15_000]),
        (10_000, 11, [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000]),
        (72, 5, [0, 20, 40, 60]),
        (1, 5, [0, 1]),
        (3, 10, [0, 1, 2, 3]),
    ],
)
def test_ticks_are_round_and_few(high: int, most: int, ticks: list[int]) -> None:
    assert Axis(high).ticks(most) == ticks


def test_log_ticks_are_powers_of_ten() -> None:
    assert Axis(16_501, log=True).ticks(10) == [1, 10, 100, 1000, 10_000]
    assert Axis(16_501, log=True).ticks(3) == [1, 100, 10_000]
    assert Axis(1, log=True).ticks(3) == [1]


def test_places_on_a_linear_axis() -> None:
    assert Axis(200).place([0, 50, 200]).tolist() == [0, 0.25, 1]


def test_a_log_axis_has_no_place_for_zero() -> None:
    places = Axis(10_000, log=True).place([0, 1, 100, 10_000])
    assert np.isnan(places[0])
    assert places[1:].tolist() == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize(("least", "step"), [(0.2, 1), (1.5, 2), (2.1, 5), (21, 25), (240, 250), (5001, 10_000)])
def test_round_steps_are_whole(least: float, step: int) -> None:
    assert round_step(least) == step


def test_a_part_of_an_axis_fills_it() -> None:
    axis = Axis(200, window=(0.25, 0.5))
    assert axis.place([50, 75, 100, 200]).tolist() == [0, 0.5, 1, 3]
    assert [axis.value(place) for place in (0, 0.5, 1)] == [50, 75, 100]
    assert axis.ticks(6) == [50, 60, 70, 80, 90, 100]


def test_a_part_of_a_log_axis_has_ticks_between_the_powers() -> None:
    axis = Axis(10_000, log=True, window=(0.5, 0.75))
    assert axis.value(0) == pytest.approx(100)
    assert axis.value(1) == pytest.approx(1000)
    assert axis.ticks(9) == [100, 200, 500, 1000]
    assert Axis(10_000, log=True, window=(0.5, 0.52)).ticks(5) == [100, 110, 120]


def test_a_log_axis_may_start_anywhere() -> None:
    axis = Axis(1.0, log=True, least=1e-4, fractions=True)
    assert axis.place([1e-4, 1e-2, 1]).tolist() == pytest.approx([0, 0.5, 1])
    assert axis.ticks(9) == pytest.approx([1e-4, 1e-3, 1e-2, 0.1, 1])
    assert Axis(800, log=True, least=50).ticks(9) == [50, 100, 200, 500]


def test_fractions_have_round_steps_too() -> None:
    assert Axis(1.4, fractions=True).ticks(8) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4])
    assert round_step(0.021, fractions=True) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0, 5000, 10_000], ["0", "5k", "10k"]),
        ([12_500, 15_000], ["12.5k", "15k"]),
        ([1250, 1255, 1260], ["1,250", "1,255", "1,260"]),
        ([0.2, 0.4, 1.0], ["0.2", "0.4", "1"]),
        ([1e-5, 0.1], ["1e-05", "0.1"]),
    ],
)
def test_labels_are_short_where_that_is_exact(ticks: list[float], labels: list[str]) -> None:
    assert tick_labels(ticks) == labels


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([2, 10], 0, 10), ([6, 10], 6, 10), ([-3, 10], -3, 10), ([5, np.nan, np.inf], 4.5, 5.5), ([], 0, 1),
     ([-1e308, 7, 10, 1e308], 7, 10)],
)  # fmt: skip
def test_an_axis_over_values_begins_at_0_where_that_wastes_no_room(
    values: list[float], low: float, high: float
) -> None:
    axis = Axis.over(np.array(values, dtype=np.float64))
    assert (axis.low, axis.high) == (low, high)


def test_ticks_on_an_axis_that_does_not_begin_at_0_are_round() -> None:
    assert Axis(10, fractions=True).ticks(6) == [0, 2, 4, 6, 8, 10]
    assert Axis(1, low=-1, fractions=True).ticks(5) == [-1, -0.5, 0, 0.5, 1]
    assert Axis(10.1, low=6, fractions=True).ticks(6) == [6, 7, 8, 9, 10]
    assert Axis(3e-30, fractions=True).ticks(4) == pytest.approx([0, 1e-30, 2e-30, 3e-30])


def test_places_and_values_on_an_axis_that_does_not_begin_at_0() -> None:
    axis = Axis(30, low=-10, window=(0.25, 0.75))
    assert axis.place([0, 10, 20]).tolist() == [0, 0.5, 1]
    assert [axis.value(place) for place in (0, 0.5, 1)] == [0, 10, 20]
