"""Tables as text."""

from dear_tui.cli.printing.tables import Column, fit, lines

NUMBERS = Column("n", ["1", "1,000"], right=True, priority=2)
NAMES = Column("name", ["a", "b" * 50], priority=3)
NOTES = Column("note", ["x", ""], priority=1)


def test_columns_are_aligned_and_lines_end_without_blanks() -> None:
    assert list(lines([NUMBERS, NOTES], None)) == ["    n  note", "    1  x", "1,000"]


def test_a_table_without_headings_has_no_heading_line() -> None:
    assert list(lines([Column("", ["a", "bb"]), Column("", ["1", "2"], right=True)], None)) == ["a   1", "bb  2"]


def test_without_a_terminal_everything_is_shown_in_full() -> None:
    assert fit([NUMBERS, NAMES, NOTES], None) == [NUMBERS, NAMES, NOTES]
    assert "b" * 50 in list(lines([NAMES], None))[2]


def test_a_narrow_terminal_loses_the_least_important_columns_first() -> None:
    assert fit([NUMBERS, NAMES, NOTES], 60) == [NUMBERS, NAMES, NOTES]
    assert fit([NUMBERS, NAMES, NOTES], 50) == [NUMBERS, NAMES]
    assert fit([NUMBERS, NAMES, NOTES], 10) == [NAMES]


def test_of_equals_the_last_goes_first() -> None:
    columns = [Column(name, ["1234567890"]) for name in "abc"]
    assert fit(columns, 25) == columns[:2]


def test_long_texts_are_cut_on_a_terminal() -> None:
    assert list(lines([NAMES], 60))[2] == "b" * 39 + "…"


def test_wide_characters_take_two_cells() -> None:
    assert list(lines([Column("名", ["a"]), Column("x", ["1"])], None)) == ["名  x", "a   1"]
