import numpy as np
import pytest

from dear_tui.charts.axis import Axis, round_step


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
