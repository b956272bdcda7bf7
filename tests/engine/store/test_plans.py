"""The planner knows how large the views are, and a damaged file spoils no more than its own view."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.errors import InputError
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import filled_store

JOIN = "SELECT * FROM severity JOIN faults USING (campaign, fault_id)"
PAIRS, FAULTS = 180, 12


def scans(plan: str) -> list[int]:
    """Estimated rows of the files that are read, the side that a join hashes last."""
    found: list[int] = []

    def visit(node: dict[str, Any]) -> None:
        if "READ_PARQUET" in node["extra_info"].get("Function", node["name"]):
            found.append(int(node["extra_info"]["Estimated Cardinality"]))
        for child in node["children"]:
            visit(child)

    for node in json.loads(plan):
        visit(node)
    return found


@pytest.mark.parametrize("query", [JOIN, "SELECT * FROM faults JOIN severity USING (campaign, fault_id)"])
def test_a_join_hashes_the_faults_and_not_the_pairs(tmp_path: Path, query: str) -> None:
    store, _, _ = filled_store(tmp_path)
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client, SqlSession(tmp_path) as session:
        ((_, plain),) = client.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
        ((_, guarded),) = session.query(f"EXPLAIN (FORMAT json) {query}")
    assert scans(plain) == scans(guarded) == [PAIRS, FAULTS]


def test_the_views_of_a_fresh_store_are_planned_for_what_came_later(tmp_path: Path) -> None:
    with SqlSession(_fresh(tmp_path)) as session:
        filled_store(tmp_path)
        ((_, plan),) = session.query(f"EXPLAIN (FORMAT json) {JOIN}")
        assert scans(plan) == [PAIRS, FAULTS]
        assert len(list(session.query(JOIN))) == PAIRS


def test_a_damaged_part_fails_its_own_view_alone(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    part = store.layout.campaign(campaign).part("severity", 2)
    part.write_bytes(part.read_bytes()[:-20])
    with SqlSession(tmp_path) as session:
        assert list(session.query("SELECT count(*) FROM faults")) == [(FAULTS,)]
        assert list(session.query("SELECT pairs_done FROM campaigns")) == [(PAIRS,)]
        with pytest.raises(InputError, match=part.name):
            list(session.query("SELECT count(DISTINCT severity) FROM severity"))


def _fresh(path: Path) -> Path:
    Store.open(path).close()
    return path
