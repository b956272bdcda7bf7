"""Texts in columns: cut at their beginning, filled up, and counted in cells."""

import pytest
from rich.cells import cell_len

from dear_tui.widgets.common.columns import ListColumn, lay_out


@pytest.mark.parametrize(
    ("text", "left", "expected"),
    [
        ("cat", False, "   cat"),
        ("cat", True, "cat   "),
        ("layer3.2.conv1", True, "…conv1"),
        ("猫", True, "猫    "),
        ("猫", False, "    猫"),
        ("学校の猫", True, "…の猫 "),
    ],
)
def test_a_text_fills_its_column(text: str, left: bool, expected: str) -> None:
    row = lay_out([ListColumn("title", lambda _place: text, 6, left=left)], [0], 40).row(0).plain
    assert row == expected
    assert cell_len(row) == 6
