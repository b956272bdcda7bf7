"""Percent over time as text."""

import pytest

from dear_tui.widgets.machine.machine_text import history_rows


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
