"""The worker's sign of life, as clients read it."""

import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from engine.errors import UnreachableError
from engine.store import Activity, Store, WorkerStatus
from engine.store.state.heartbeat import write_heartbeat
from tests.engine.store.raw_state import change_state

BUSY = Activity(campaign=7, device="cpu", block=(16, 48), rate=1234.5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def test_what_a_worker_does_is_read_by_others_and_gone_with_it(store: Store) -> None:
    reader = Store.open(store.layout.root, read_only=True)
    assert reader.worker() == WorkerStatus(running=False)
    with store.be_worker(), store.lock("worker"):
        assert reader.worker() == WorkerStatus(running=True, pid=os.getpid()), "before its first heartbeat"
        before = time.monotonic()
        write_heartbeat(store.state, BUSY)
        found = reader.worker()
        assert (found.running, found.pid, found.campaign, found.device) == (True, os.getpid(), 7, "cpu")
        assert (found.block, found.rate) == ((16, 48), 1234.5)
        assert found.silence_s is not None
        assert 0 <= found.silence_s <= time.monotonic() - before
        write_heartbeat(store.state, Activity())
        assert (reader.worker().campaign, reader.worker().block, reader.worker().rate) == (None, None, None)
    assert reader.worker() == WorkerStatus(running=False, heartbeat=found.heartbeat)


def test_the_step_before_the_first_pair_is_told(store: Store) -> None:
    with store.be_worker(), store.lock("worker"):
        write_heartbeat(store.state, Activity(campaign=7, step="ranking the images: 512 of 1,024"))
        assert store.worker().step == "ranking the images: 512 of 1,024"
        write_heartbeat(store.state, BUSY)
        assert store.worker().step is None


def test_a_store_without_steps_is_read_as_it_is(store: Store) -> None:
    """A newer reader beside what an older worker wrote."""
    with store.be_worker(), store.lock("worker"):
        write_heartbeat(store.state, BUSY)
        change_state(store, "ALTER TABLE worker DROP COLUMN step")
        change_state(store, "PRAGMA user_version = 3")
        reader = Store.open(store.layout.root, read_only=True)
        assert (reader.worker().campaign, reader.worker().step) == (7, None)


def test_a_process_in_the_foreground_is_no_worker(store: Store) -> None:
    with store.be_worker(), store.lock("worker"):
        write_heartbeat(store.state, BUSY)
    with store.lock():
        assert not store.worker().running
        assert store.worker().campaign is None


def test_a_worker_waits_for_a_process_in_the_foreground(store: Store) -> None:
    with store.be_worker():
        write_heartbeat(store.state, Activity())
        assert store.worker().waits_for is None
        with store.lock():
            assert (store.worker().running, store.worker().waits_for) == (True, os.getpid())
        with store.lock("worker"):
            assert store.worker().waits_for is None


def test_there_is_one_worker(store: Store) -> None:
    with store.be_worker(), pytest.raises(UnreachableError, match=f"process {os.getpid()} is at work .* as its worker"):
        Store.open(store.layout.root).be_worker().__enter__()


def test_a_heartbeat_of_another_process_is_not_believed(store: Store) -> None:
    with store.be_worker(), store.lock("worker"):
        write_heartbeat(store.state, BUSY)
        change_state(store, "UPDATE worker SET pid = 1")
        assert store.worker() == WorkerStatus(running=True, pid=os.getpid())


@pytest.mark.parametrize("year", ["1999", "2099"])
def test_a_clock_that_was_set_changes_no_age(store: Store, monkeypatch: pytest.MonkeyPatch, year: str) -> None:
    with store.be_worker(), store.lock("worker"):
        monkeypatch.setattr("engine.store.state.heartbeat.now", lambda: f"{year}-01-01T00:00:00Z")
        before = time.monotonic()
        write_heartbeat(store.state, BUSY)
        found = store.worker()
        assert found.heartbeat is not None
        assert datetime.fromisoformat(found.heartbeat).year == int(year)
        assert found.silence_s is not None
        assert 0 <= found.silence_s <= time.monotonic() - before


def test_a_store_that_is_not_there_has_no_worker(tmp_path: Path) -> None:
    assert Store.open(tmp_path / "none", read_only=True).worker() == WorkerStatus(running=False)
