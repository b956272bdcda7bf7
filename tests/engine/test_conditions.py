"""A condition means the same in SQL and in numpy."""

from typing import Any

import duckdb
import numpy as np
import pytest

from engine.conditions import SIGNS, Condition, Field, Kind

NUMBERS = np.array([-1.5, 0, 2, 30])
TEXTS = np.array(["conv1", "FC1", "it's", "100%_"], object)


def both(kind: Kind, values: np.ndarray, *columns: str, **asked: Any) -> list[list[bool]]:
    condition = Condition(Field("x", kind, columns or ("x",), ""), **asked)
    with duckdb.connect() as connection:
        connection.register("rows", {"x": values, "y": values[::-1].copy()})
        in_sql = [bool(row[0]) for row in connection.sql(f"SELECT {condition.sql} FROM rows").fetchall()]
    return [in_sql, condition.holds(values).tolist()]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("limit", [-1.5, 0, 7, 30])
def test_numbers(sign: str, limit: float) -> None:
    in_sql, in_numpy = both(Kind.NUMBER, NUMBERS, sign=sign, value=limit)
    assert in_sql == in_numpy
    assert in_sql == [bool(SIGNS[sign](number, limit)) for number in NUMBERS.tolist()]


@pytest.mark.parametrize(
    ("text", "places"), [("conv", [0]), ("fc", [1]), ("1", [0, 1, 3]), ("'", [2]), ("%_", [3]), ("x", [])]
)
def test_texts(text: str, places: list[int]) -> None:
    expected = [place in places for place in range(len(TEXTS))]
    assert both(Kind.TEXT, TEXTS, value=text) == [expected, expected]


def test_classes_and_flags() -> None:
    classes = np.array([0, 3, 5, 3])
    assert both(Kind.CLASS, classes, value=(3, 9)) == [[False, True, False, True]] * 2
    assert both(Kind.FLAG, np.array([True, False])) == [[True, False]] * 2


def test_one_of_several_columns_is_enough() -> None:
    in_sql, _ = both(Kind.CLASS, np.array([1, 2, 3]), "x", "y", value=(3,))
    assert in_sql == [True, False, True]
