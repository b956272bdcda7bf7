"""Stops that are asked of a worker: for which process they are meant, and that a stopped one did not die."""

import os
import signal
from pathlib import Path

import pytest

from engine.errors import UnreachableError
from engine.store import Store
from engine.store.state.queue import MOST_DEATHS
from tests.engine.store.other_process import python
from tests.engine.store.raw_state import count_rows
from tests.engine.store.waiting_campaigns import KILLED, three_waiting

WAITS = """
import sys
from pathlib import Path
from engine.store import Store
with Store.open(Path(sys.argv[1])).be_worker():
    print("waits", flush=True)
    sys.stdin.read()
"""

STOPPED = """
import os, signal, sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]))
with store.be_worker(), store.lock("worker"):
    store.queue.take()
    store.queue.stop_worker()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three campaigns wait in it: 1, 2, 3."""
    return three_waiting(tmp_path / "store")


def test_stops_are_counted_for_the_process_they_are_meant_for(store: Store) -> None:
    with pytest.raises(UnreachableError, match=r"no worker runs in this store$"):
        store.queue.stop_worker()
    with store.lock(), pytest.raises(UnreachableError, match=rf"no worker runs .*process {os.getpid()} is at work"):
        store.queue.stop_worker()
    with store.be_worker():
        assert [store.queue.stop_worker(), store.queue.stop_worker()] == [1, 2]
        assert (store.queue.stops(os.getpid()), store.queue.stops(1)) == (2, 0)
        with store.lock("worker"):
            assert store.queue.stops(os.getpid()) == 2
    store.state.disown_stops(os.getpid())
    assert store.queue.stops(os.getpid()) == 0


def test_the_stop_of_a_worker_that_waits_outlives_a_run_in_the_foreground(store: Store) -> None:
    with python(WAITS, store.layout.root) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "waits\n"
        store.queue.stop_worker()
        with store.lock():
            assert store.queue.stops(worker.pid) == 1
    with store.lock():
        assert store.queue.stops(worker.pid) == 0, "it is dead"


@pytest.mark.parametrize("disowned", [False, True], ids=["another process", "another one of the same id"])
def test_a_worker_that_was_asked_to_end_did_not_die(store: Store, disowned: bool) -> None:
    for _ in range(MOST_DEATHS + 1):
        with python(STOPPED, store.layout.root) as process:
            assert process.wait() == -signal.SIGKILL
        if disowned:
            store.state.disown_stops(process.pid)
        with store.lock("worker"):
            assert store.queue.waiting() == [1, 2, 3]
            assert count_rows(store, "commands") == 0


def test_what_was_asked_of_a_worker_is_no_excuse_for_the_deaths_of_the_next(store: Store) -> None:
    for _ in range(MOST_DEATHS - 1):
        with python(KILLED, store.layout.root, "taken") as process:
            process.wait()
        with store.lock("worker"):
            pass
    with python(STOPPED, store.layout.root) as process:
        process.wait()
    with store.lock("worker"):
        assert store.queue.waiting() == [1, 2, 3]
    with python(KILLED, store.layout.root, "taken") as process:
        process.wait()
    with store.lock("worker"):
        assert (store.campaign(1).state, store.queue.waiting()) == ("failed", [2, 3])
