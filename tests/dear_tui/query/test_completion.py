"""What is offered for the word before the cursor."""

from __future__ import annotations

import pytest

from dear_tui.query.completion import MOST, Completion, complete
from engine.store.sql.names import Names, View, ViewColumn

NAMES = Names(
    views=(
        View(
            "faults",
            (ViewColumn("fault_id", "UINTEGER"), ViewColumn("layer", "VARCHAR"), ViewColumn("bit", "UTINYINT")),
        ),
        View("images", (ViewColumn("image_id", "UINTEGER"), ViewColumn("label", "INTEGER"))),
        View("campaigns", (ViewColumn("select", "VARCHAR"), ViewColumn("left_out", "INTEGER"))),
    ),
    functions=("floor", "first_value", "last_value"),
    keywords=("from", "on", "join", "where", "select", "left"),
)


def offered(text: str) -> list[str]:
    """The completions at the mark |."""
    before, after = text.split("|")
    return [offer.text for offer in complete(before, after, NAMES)[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM f|", ["faults"]),
        ("SELECT * FROM faults JOIN im|", ["images"]),
        ("SELECT l| FROM images", ["label", "left", "last_value"]),
        ("SELECT l| FROM faults", ["layer", "left", "last_value"]),
        ("SELECT f.l| FROM faults f JOIN images i ON true", ["layer"]),
        ("SELECT i.| FROM faults f JOIN images AS i ON true", ["image_id", "label"]),
        ("SELECT faults.b| FROM faults", ["bit"]),
        ("SELECT x.b| FROM faults", []),
        ("SELECT on.b| FROM faults on", []),
        ("SELECT fl|", ["floor"]),
        ("SELECT bit FROM faults WH|", ["WHERE"]),
        ("SELECT bit FROM faults wh|", ["where"]),
        ("SELECT bit| FROM faults", []),
        ("SELECT |", []),
        ("sele|", ["select"]),
        ("-- which?\n SELE|", ["SELECT"]),
        ("le|", ["left", "left_out"]),
        ("SELECT le| FROM campaigns", ["left_out", "left"]),
        ("SELECT * FROM (sele|", ["select"]),
        ("SELECT campaigns.sel| FROM campaigns", ["select"]),
        ("SELECT 'la|", []),
        ("SELECT 1 -- la|", []),
        ("SELECT /* la|", []),
        ("SELE|", ["SELECT"]),
        ("SELECT bit FROM faults WHERE fault_id IN (sele|", ["select"]),
        ("SELECT 'it''s' AS la| FROM images", ["label", "last_value"]),
    ],
)
def test_the_word_is_completed_from_what_the_query_reads(text: str, expected: list[str]) -> None:
    found = offered(text)
    assert sorted(found) == sorted(expected)
    assert found[:1] == expected[:1], "the likeliest first"


@pytest.mark.parametrize("text", ["sele|", "SELECT * FROM (sele|", "SELECT sele| FROM campaigns"])
def test_a_keyword_is_not_taken_for_the_column_of_its_name(text: str) -> None:
    before, after = text.split("|")
    assert [offer.kind for offer in complete(before, after, NAMES)[1]] == ["keyword"]


def test_the_letters_typed_and_the_type_of_a_column_are_told() -> None:
    assert complete("SELECT la", " FROM faults", NAMES)[0] == 2
    assert complete("SELECT lay", " FROM faults", NAMES) == (3, [Completion("layer", "column", "VARCHAR")])


def test_a_long_list_is_cut() -> None:
    names = Names(functions=tuple(f"a{number}" for number in range(MOST + 1)))
    assert len(complete("SELECT a", "", names)[1]) == MOST
