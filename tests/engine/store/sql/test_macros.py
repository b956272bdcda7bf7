"""Intervals and names in SQL are those of the engine, wherever the views are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.estimate import FEW, estimate_share
from engine.severity import SEVERITY_NAMES
from engine.store.sql.macros import create_macros
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import filled_store

if TYPE_CHECKING:
    from pathlib import Path

MANY = 10**15
"""a population that hardly shrinks by a sample"""

CALLS = (
    "SELECT wilson_low(20, 100), wilson_high(20, 100, confidence := 0.9), wilson_high(20, 100, 0.9, 100), "
    "severity_name(2)"
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    create_macros(opened)
    return opened


@given(
    st.integers(FEW, 10**6),
    st.integers(FEW, 10**6),
    st.integers(0, 10**7),
    st.floats(0.01, 0.999_999),
    st.booleans(),
)
def test_the_interval_is_that_of_one_stratum(
    connection: duckdb.DuckDBPyConnection, hits: int, others: int, left: int, confidence: float, is_known: bool
) -> None:
    drawn = hits + others
    population = drawn + left if is_known else MANY
    share = estimate_share(np.array([hits]), np.array([drawn]), np.array([population]), confidence)
    found = connection.execute(
        "SELECT wilson_low($k, $n, confidence := $c, population := $p), wilson_high($k, $n, $c, $p)",
        {"k": hits, "n": drawn, "c": confidence, "p": population if is_known else None},
    ).fetchone()
    assert found == pytest.approx((share.low, share.high), rel=1e-8, abs=1e-12)


def test_the_ends_are_exact_and_nothing_tells_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT wilson_low(0, 10), wilson_high(10, 10), wilson_low(0, 0), wilson_high(0, 0), wilson_low(NULL, 10)"
    assert connection.execute(query).fetchone() == (0, 1, None, None, None)


def test_counts_may_be_counted_on_the_spot(connection: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT range % 2, wilson_low(count(*) FILTER (range < 20), count(*)) FROM range(200) GROUP BY 1 "
        "HAVING wilson_high(count(*) FILTER (range < 20), count(*)) < 1 ORDER BY ALL"
    )
    found = connection.execute(query).fetchall()
    expected = estimate_share(np.array([10]), np.array([100]), np.array([MANY]), 0.99)
    assert [row[0] for row in found] == [0, 1]
    assert found[0][1] == pytest.approx(expected.low)


def test_severities_have_their_names(connection: duckdb.DuckDBPyConnection) -> None:
    names = tuple(name for (name,) in connection.execute("SELECT severity_name(range) FROM range(3)").fetchall())
    assert names == SEVERITY_NAMES


def test_they_are_there_wherever_the_views_are(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    with store.lock():
        store.writer(campaign).seal()
    with SqlSession(tmp_path) as session:
        expected = list(session.query(CALLS))
        ((named,),) = session.query("SELECT count(*) FROM severity WHERE severity_name(severity) = 'critical'")
        ((counted,),) = session.query("SELECT count(*) FROM critical")
    assert named == counted > 0
    for path in (store.layout.catalogue, store.layout.campaign(campaign).sealed):
        with duckdb.connect(str(path), read_only=True) as client:
            assert client.execute(CALLS).fetchall() == expected
        with duckdb.connect() as client:
            client.execute(f"ATTACH '{path}' AS other (READ_ONLY)")
            assert client.execute(CALLS.replace("wilson", "other.wilson").replace(" sev", " other.sev")).fetchall()
