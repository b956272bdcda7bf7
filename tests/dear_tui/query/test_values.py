"""Values of a result as text, and in the grid's cells."""

from __future__ import annotations

import csv
import io
import json
from threading import Lock

import duckdb
import pytest
from rich.text import Text

from dear_tui.query.files import write_csv
from dear_tui.query.values import MOST_LETTERS, cell_text, whole_text
from dear_tui.widgets.sql.result_rows import WIDEST, ResultRows
from engine.store.sql.sql import Result


def rows_of(sql: str) -> ResultRows:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return ResultRows(connection.sql(sql).to_arrow_table())


def shown(rows: ResultRows, row: int = 0, column: int = 0) -> str:
    cell = rows.get_cell_at(row, column)
    return cell.plain if isinstance(cell, Text) else str(cell)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("true", "true"), ("false", "false"), ("NULL", "∅"), ("NULL::BOOLEAN", "∅"), ("'NULL'", "NULL"), ("''", ""),
        ("0.1::FLOAT", "0.1"), ("0.1::DOUBLE", "0.1"), ("134499467.0::DOUBLE", "134499467"),
        ("0.029413644::FLOAT", "0.029413644"), ("'nan'::FLOAT", "nan"), ("'-inf'::DOUBLE", "-inf"), ("1e300", "1e+300"),
        ("3.10::DECIMAL(10, 2)", "3.10"), ("18446744073709551615::UBIGINT", "18446744073709551615"),
        ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
        ("DATE '2026-01-02'", "2026-01-02"), ("TIME '12:00:01'", "12:00:01"), ("'infinity'::TIMESTAMP", "infinity"),
        ("TIMESTAMP '2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
        ("TIMESTAMPTZ '2026-01-02 03:04:05+00'", "2026-01-02 03:04:05+00:00"),
        ("INTERVAL '14 months 1 day 02:00:00.5'", "14 months 1 day 02:00:00.5"), ("INTERVAL 0 DAY", "00:00:00"),
        ("[1, NULL]", "[1, NULL]"), ("[]::INT[]", "[]"), ("['it''s', 'NULL']", "['it''s', 'NULL']"),
        ("{'a': true, 'b': NULL, 'c': [1.5]}", "{'a': true, 'b': NULL, 'c': [1.5]}"), ("MAP {'k': 1}", "{'k': 1}"),
        (r"'a\x00\xff'::BLOB", r"a\x00\xFF"), ("'x'::ENUM('x', 'y')", "x"),
        ("'größe 漢字'", "größe 漢字"), ("'[red]x[/]'", "[red]x[/]"),
        ("'a' || chr(10) || 'b' || chr(9) || 'c'", "a⏎b c"),
        ("chr(27) || '[31m'", "␛[31m"), ("chr(8238) || 'x'", "�x"),
    ],
)  # fmt: skip
def test_a_cell_shows_its_value(sql: str, text: str) -> None:
    rows = rows_of(f"SELECT {sql} AS value")
    assert shown(rows) == text
    width = len(text) + ("漢" in text) * 2
    assert rows.column_content_widths[0] in (width, 0 if text == "∅" else width)


def test_the_width_is_that_of_the_widest_value() -> None:
    rows = rows_of("SELECT n, -n::DOUBLE / 8 AS d, repeat('x', n) AS s, [n] AS l FROM generate_series(3001) AS t(n)")
    assert rows.column_content_widths[:2] == [4, len("-374.875")]
    assert rows.column_content_widths[2] >= WIDEST
    assert rows.column_content_widths[3] == len("[3001]")


def test_numbers_stand_to_the_right_and_so_does_what_is_missing_among_them() -> None:
    rows = rows_of("SELECT NULL::INT AS n, NULL::VARCHAR AS s, 1.5 AS d")
    cells = [rows.get_cell_at(0, column) for column in range(3)]
    assert [cell.justify for cell in cells if isinstance(cell, Text)] == ["right", "left", "right"]
    assert len(cells) == len(rows.get_row_at(0)) == 3


def test_a_very_long_text_is_cut_in_a_cell_and_whole_when_read() -> None:
    text = "x" * 1_000_000
    assert len(cell_text(text)) == MOST_LETTERS
    assert whole_text(text) == text


def test_json_lists_and_structs_are_read_on_several_lines() -> None:
    value = rows_of("SELECT {'a': [1, NULL], 'b': DATE '2026-01-02'} AS s").value(0, 0)
    assert json.loads(whole_text(value)) == {"a": [1, None], "b": "2026-01-02"}
    assert "\n" in whole_text(value)
    assert whole_text('{"a": 1}') == '{\n  "a": 1\n}'
    assert whole_text("{no json") == "{no json"
    assert whole_text(None) == "NULL"


def test_a_csv_has_the_same_texts() -> None:
    with duckdb.connect() as connection:
        sql = (
            r"SELECT true AS b, [1, NULL] AS l, {'a': false} AS s, '\x00'::BLOB AS x, NULL AS n, 'NULL' AS t, 0.1 AS f"
        )
        cursor = connection.execute(sql)
        names, types = ([str(column[place]) for column in cursor.description or ()] for place in (0, 1))
        file = io.StringIO()
        write_csv(Result(tuple(names), tuple(types), cursor, Lock()), cursor.fetchall(), file)
    assert list(csv.reader(file.getvalue().splitlines())) == [
        ["b", "l", "s", "x", "n", "t", "f"], ["true", "[1, NULL]", "{'a': false}", r"\x00", "", "NULL", "0.1"],
    ]  # fmt: skip
