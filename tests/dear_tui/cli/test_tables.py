"""Tables on a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest

from dear_tui.cli.printing.terminal_table import fitting, print_table
from engine.analysis.result_table import Column, Kind, Table
from tests.dear_tui.cli.narrow_terminal import NarrowTerminal

TABLE = Table(
    "",
    (Column("n", Kind.COUNT, priority=2), Column("name", priority=3), Column("note", priority=1)),
    ((1, "a", "x"), (1000, "b" * 50, "")),
)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")


def printed(table: Table) -> list[str]:
    terminal = NarrowTerminal()
    print_table(table, terminal)
    return terminal.lines()


def test_a_pipe_gets_everything_in_full() -> None:
    pipe = io.StringIO()
    assert print_table(TABLE, pipe) == []
    assert pipe.getvalue().splitlines()[2] == f"1,000  {'b' * 50}"


def test_columns_are_aligned_on_a_terminal() -> None:
    assert printed(TABLE.selected([0, 2])) == ["    n  note", "    1  x", "1,000"]


def test_a_table_without_headings_has_no_heading_line() -> None:
    columns = (Column("", heading=""), Column("", Kind.COUNT, heading=""))
    assert printed(Table("", columns, (("a", 1), ("bb", 2)))) == ["a   1", "bb  2"]


def test_a_narrow_terminal_loses_the_least_important_columns_first() -> None:
    assert fitting(TABLE, 60) == [0, 1, 2]
    assert fitting(TABLE, 50) == [0, 1]
    assert fitting(TABLE, 10) == [1]


def test_of_equals_the_last_goes_first_also_where_names_are_the_same() -> None:
    table = Table("", tuple(Column("a") for _ in range(3)), (("1234567890",) * 3,))
    assert fitting(table, 25) == [0, 1]


def test_what_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert print_table(TABLE, NarrowTerminal()) == [TABLE.columns[2]]


def test_long_texts_are_cut_on_a_terminal() -> None:
    assert printed(TABLE.selected([1]))[2] == "b" * 39 + "…"


def test_a_title_stands_above_and_is_not_cut() -> None:
    table = Table("a title that is wider than its table", (Column("n"),), (("a",),))
    assert printed(table) == ["a title that is wider than its table", "", "n", "a"]


def test_a_legend_is_for_a_terminal_alone() -> None:
    table = Table("", (Column("n"),), (("a",),), ("non-critical",))
    assert printed(table) == [
        "n",
        "a",
        "  non-critical: outputs change, but not the answer: the",
        "    class with the largest one (top-1)",
    ]
    pipe = io.StringIO()
    print_table(table, pipe)
    assert pipe.getvalue() == "n\na\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_in_a_cell_or_a_heading_steers_a_terminal(terminal: bool) -> None:
    file = NarrowTerminal() if terminal else io.StringIO()
    print_table(Table("\x1b[1mt", (Column("\x1b[2mh"),), (("\x1b[31m\nx[red]y\t",),)), file)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines == ["\\x1b[1mt", "", "\\x1b[2mh", "\\x1b[31m\\nx[red]y\\t"]
