import pytest

from engine.units import byte_count, duration, percent, rate, short_count, stopwatch


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (7, "7"), (0.5, "0.5"), (999, "999"), (999.6, "1k"), (1000, "1k"), (1250, "1.25k"), (16_501, "16.5k"),
        (999_499, "999k"), (999_600, "1M"), (165_010_000, "165M"), (2.5e9, "2.5G"),
        (3.1e12, "3.1T"), (-7, "-7"), (-16_501, "-16.5k"),
    ],
)  # fmt: skip
def test_short_count_keeps_three_digits(number: float, text: str) -> None:
    assert short_count(number) == text


def test_rate_is_per_second() -> None:
    assert rate(397_812.0) == "398k/s"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (842, 1000, "84.2 %"),
        (1, 10**6, "<0.001 %"),
        (58, 10_000, "0.58 %"),
    ],
)
def test_percent_keeps_three_digits(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.4, "0s"), (59.4, "59s"), (59.6, "1m 00s"), (249, "4m 09s"), (4320, "1h 12m"), (183_600, "2d 03h")],
)
def test_duration_shows_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00 s"), (0.416, "0.42 s"), (9.999, "10.0 s"), (12.34, "12.3 s"), (59.97, "1m 00s"), (65, "1m 05s")],
)
def test_a_stopwatch_shows_fractions_below_a_minute(seconds: float, text: str) -> None:
    assert stopwatch(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (51_000_000, "51MB"), (1.2e12, "1.2TB")])
def test_bytes_have_their_unit(size: float, text: str) -> None:
    assert byte_count(size) == text
