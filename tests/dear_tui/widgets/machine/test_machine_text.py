"""Percent over time as text."""

import pytest

from dear_tui.widgets.machine.machine_text import history_rows, time_axis


@pytest.mark.parametrize(
    ("percent", "width", "height", "rows"),
    [
        ([0, 12.5, 50, 100], 4, 1, [" ▁▄█"]),
        ([0, 50, 75, 100], 4, 2, ["  ▄█", " ███"]),
        ([100, 50, 100], 2, 1, ["▄█"]),
        ([100], 3, 2, ["  █", "  █"]),
        ([None, 0.1, 140], 3, 2, ["  █", "·▁█"]),
        ([], 2, 1, ["  "]),
        ([50], 0, 1, [""]),
    ],
)
def test_the_newest_stands_at_the_right(percent: list[float | None], width: int, height: int, rows: list[str]) -> None:
    assert history_rows(percent, width, height) == rows


@pytest.mark.parametrize(("width", "axis"), [(0, ""), (2, "ow"), (5, "──now"), (35, "────╵30s" + "─" * 24 + "now")])
def test_the_axis_counts_seconds_from_the_right_edge(width: int, axis: str) -> None:
    assert time_axis(width) == axis


def test_a_minute_has_its_own_column() -> None:
    assert time_axis(80).index("╵1m") == 80 - 1 - 60
