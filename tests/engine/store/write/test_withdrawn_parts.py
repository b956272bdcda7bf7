"""Parts that are taken back because some of their pairs have to be computed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from engine.errors import UnreachableError
from engine.severity import CRITICAL
from engine.store.schema import AUDIT, PART_TABLES
from tests.engine.store.stored_campaigns import PLAN, filled_store, partly_run, write

if TYPE_CHECKING:
    from engine.store import Store

PAIRS_OF_SOME = 7 * 5
"""of PLAN's only part that holds none of the last faults"""


def severities(store: Store) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        return client.sql("SELECT COLUMNS(* EXCLUDE campaign) FROM severity ORDER BY ALL").fetchall()


def test_parts_with_some_of_the_faults_are_taken_back_whole_and_written_anew(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, truth=partly_run())
    with store.lock():
        writer = store.writer(campaign)
        assert writer.withdraw(10, 12) == 15 * 12 - PAIRS_OF_SOME
        assert [tuple(vars(span).values()) for span in writer.done] == [PLAN[1]]
        assert store.campaign(campaign).pairs_done == PAIRS_OF_SOME
        folder = store.layout.campaign(campaign)
        assert all(len(folder.parts(table)) <= 1 for table in (AUDIT, *PART_TABLES))
        assert writer.withdraw(10, 12) == 0
        write(writer, truth, PLAN)
        assert severities(store) == [row for row in truth.severities() if row[2] <= CRITICAL]
        writer.seal()
        assert store.verify(campaign, lambda _done, _parts: None) == []


def test_what_was_buffered_is_forgotten(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, [])
    with store.lock():
        writer = store.writer(campaign)
        writer.add(0, 0, truth.outcomes(0, 15, 0, 5))
        writer.withdraw(11, 12)
        assert writer.commit() is None
        write(writer, truth, PLAN)
    assert severities(store) == truth.severities()


@pytest.mark.parametrize("deleted", range(6))
def test_taking_back_that_ends_half_way_leaves_nothing_that_is_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: int
) -> None:
    store, campaign, truth = filled_store(tmp_path)
    genuine, left = Path.unlink, iter(range(deleted))

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if next(left, None) is None:
            raise OSError(5, "Input/output error")
        genuine(path, missing_ok)

    with store.lock():
        writer = store.writer(campaign)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", unlink)
            with pytest.raises(UnreachableError):
                writer.withdraw(0, 12)
    with store.lock():
        writer = store.writer(campaign)
        write(writer, truth, PLAN)
        assert store.verify(campaign, lambda _done, _parts: None) == []
    assert severities(store) == truth.severities()
