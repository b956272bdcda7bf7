"""Text in a picture: one character a cell, or two cells a character."""

import pytest
from rich.cells import cell_len

from dear_tui.charts.picture import Ink, Picture


def row(*texts: tuple[int, str], width: int = 10) -> str:
    picture = Picture(width, 1)
    for column, text in texts:
        picture.put(0, column, text, Ink.TEXT)
    return next(picture.rows())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([(0, "abc"), (1, "x")], "axc       "),
        ([(8, "abc")], "        ab"),
        ([(0, "深度 a")], "深度 a    "),
        ([(5, "深度深")], "     深度 "),
        ([(0, "e\N{COMBINING ACUTE ACCENT}x")], "ex        "),
        ([(0, "深度"), (0, "a")], "a 度      "),
        ([(0, "深度"), (1, "a")], " a度      "),
        ([(0, "深度"), (1, "深")], " 深       "),
        ([(10, "outside")], "          "),
        ([(12, "far outside")], "          "),
    ],
)
def test_a_row_is_as_wide_as_the_picture(texts: list[tuple[int, str]], expected: str) -> None:
    shown = row(*texts)
    assert shown == expected
    assert cell_len(shown) == 10
