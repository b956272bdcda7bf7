"""The goal "critical_faults": the set of critical faults, with as few pairs run as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.campaign_results import campaign_results
from engine.injection.outcomes import Outcomes, WeightFaults
from engine.running.blocks.dropped_faults import inject_left
from engine.severity import CRITICAL, DROPPED
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.running.test_campaign import after, run
from tests.small_campaign import FAULTS, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.injection.network.golden import GoldenBlock

pytestmark = pytest.mark.usefixtures("one_thread")

IMAGES = 3
CRITICAL_FAULTS = (
    "SELECT fault_id, min(rank) FROM critical JOIN images USING (campaign, image_id) GROUP BY 1 ORDER BY 1"
)


def answers(store: Path, query: str) -> list[tuple[Any, ...]]:
    with SqlSession(store) as session:
        return list(session.query(query))


class Groups:
    """An injection that yields groups of some sizes; a pair's severity follows from its fault and image."""

    count = IMAGES

    def __init__(self, sizes: list[int]) -> None:
        self._sizes = sizes

    def inject(self, _block: GoldenBlock, faults: WeightFaults) -> Iterator[Outcomes]:
        start = 0
        for size in [*self._sizes, len(faults)]:
            if start < len(faults):
                yield outcomes(faults.positions[start : start + size])
                start += size


def outcomes(positions: np.ndarray) -> Outcomes:
    severity = (positions[:, None] + np.arange(IMAGES)).astype(np.uint8) % 3
    fault, image = np.nonzero(severity == CRITICAL)
    of_pair = positions[fault] * 10 + image
    return Outcomes(
        positions, severity, fault, image, of_pair.astype(np.uint16), of_pair % 2 == 0, of_pair % 3 == 0,
        of_pair.astype(np.float32),
    )  # fmt: skip


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.lists(st.integers(1, 4), max_size=6))
def test_what_is_left_stands_where_it_stood(dropped: list[bool], sizes: list[int]) -> None:
    positions = np.arange(len(dropped))[::-1] + 5
    nothing = np.zeros(len(dropped))
    faults = WeightFaults(positions, nothing.astype(np.int32), nothing.astype(np.int64), nothing.astype(np.float32),
                          nothing == 0)  # fmt: skip
    injection: Any = Groups(sizes)
    found = list(inject_left(injection, injection, faults, np.array(dropped)))
    expected = outcomes(positions)
    assert np.array_equal(np.concatenate([each.positions for each in found]), positions)
    severity = np.concatenate([each.severity for each in found])
    assert np.array_equal(severity, np.where(np.array(dropped)[:, None], DROPPED, expected.severity))
    for each in found:
        assert (each.severity[each.critical_fault, each.critical_image] == CRITICAL).all()
        of_pair = each.positions[each.critical_fault] * 10 + each.critical_image
        assert np.array_equal(each.prediction, of_pair)
        assert np.array_equal(each.softmax_lost, of_pair)
        assert len(of_pair) == (each.severity == CRITICAL).sum()


@pytest.mark.parametrize("method", ["exact", "fast", "screened"])
def test_the_set_is_the_one_that_all_severities_give(tmp_path: Path, method: str) -> None:
    whole, store = tmp_path / "whole", tmp_path / "store"
    run(write_config(tmp_path, run={"method": method}), whole)
    config = write_config(tmp_path, "goal.toml", run={"method": method, "goal": "critical_faults"})
    finished = run(config, store)
    assert finished.goal == "critical_faults"
    assert answers(store, CRITICAL_FAULTS) == answers(whole, CRITICAL_FAULTS), "and where each was seen first"
    assert finished.dropped > 0
    assert finished.count() == finished.pairs
    with Store.open(store, read_only=True) as opened:
        found = campaign_results(opened.summary(finished.id), opened.description(finished.id))
        assert found.table_four is None, "which images would have shown a fault is not known"
        assert "dropped" in str(found.tables(opened.campaign(finished.id)))
    with Store.open(store) as opened, opened.lock():
        assert opened.verify(1, lambda _done, _parts: None) == []


def test_stopped_and_resumed_it_drops_what_was_seen_before(tmp_path: Path) -> None:
    store = tmp_path / "store"
    config = write_config(tmp_path, run={"goal": "critical_faults"})
    stops = 0
    while run(config, store, after(12)).state != "finished":
        stops += 1
    assert stops
    whole = tmp_path / "whole"
    run(config, whole)
    query = "SELECT fault_id, image_id, severity FROM severity ORDER BY ALL"
    assert answers(store, query) == answers(whole, query)
    assert len(answers(store, query)) < FAULTS * 40


def test_it_is_another_campaign_than_that_of_all_severities(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(write_config(tmp_path), store)
    assert run(write_config(tmp_path, run={"goal": "critical_faults"}), store).id == 2
