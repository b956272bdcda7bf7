"""Where a terminal is narrow, both ends of an interval go or none."""

from __future__ import annotations

import pytest

from dear_tui.cli.printing.terminal_table import fitting
from engine.analysis.result_table import Column, Kind, Table

TABLE = Table(
    "",
    (
        Column("name", priority=9),
        Column("fit", Kind.NUMBER, priority=8),
        Column("low_fit", Kind.NUMBER, "from", priority=5),
        Column("high_fit", Kind.NUMBER, "to", priority=5),
        Column("share_low_percent", Kind.PERCENT, "share from", priority=1),
        Column("share_high_percent", Kind.PERCENT, "share to", priority=1),
    ),
    (("a", 1.0, 0.5, 2.0, 1.0, 2.0),),
)


@pytest.mark.parametrize("width", range(1, 80))
def test_an_interval_has_two_ends_or_none(width: int) -> None:
    names = {TABLE.columns[place].name for place in fitting(TABLE, width)}
    assert ("low_fit" in names) == ("high_fit" in names)
    assert ("share_low_percent" in names) == ("share_high_percent" in names)
    assert names
