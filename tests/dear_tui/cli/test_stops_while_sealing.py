"""A stop that comes while a campaign is sealed, in the foreground and in the worker: nothing is lost."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.dear_tui.cli.conftest import Finished
from tests.dear_tui.forked import Forked
from tests.dear_tui.worker.conftest import DEADLINE, submit, until
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

STOPPED = """
import os, signal, sys
from dear_tui.cli import main
from engine.store import Store, store_path
from engine.store.write import seal

by, times, *arguments = sys.argv[1:]
pairs = seal.Seal._pairs

def stop():
    if by == "command":
        Store.open(store_path(None)).queue.stop_worker()
    else:
        os.kill(os.getpid(), signal.Signals[by])

def stopped(self, receipts):
    stop()
    if times == "twice":
        # DuckDB is at work until it is stopped
        self._reader.execute("SELECT sum(sin(range::DOUBLE)) FROM range(1000000000000)")
    yield from pairs(self, receipts)

seal.Seal._pairs = stopped
sys.exit(main(arguments))
"""


def run_stopped(store: Path, by: str, times: str, *arguments: object) -> Finished:
    """A command of dear-tui that is stopped while it seals, and once more when it has heard of that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEAR_STORE", str(store))
        process = Forked(store.parent, STOPPED, by, times, *arguments)
    try:
        if times == "twice":
            until(lambda: process.poll() is not None or "stopping after" in process.err.read_text(), "the first stop")
            if by == "command":
                Store.open(store).queue.stop_worker()
            else:
                process.send_signal(signal.Signals[by])
        out, said = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()  # which would otherwise be waited for
    assert "Traceback" not in said, said
    return Finished(process.wait(), out, said)


def severities(store: Path) -> list[tuple[Any, ...]]:
    with SqlSession(store) as session:
        return list(session.query("SELECT fault_id, image_id, severity FROM severity ORDER BY ALL"))


def check_finishes(invoke: Invoke, config: Path, path: Path, undisturbed: Path) -> None:
    """Every pair was kept; all that is left to do is to seal."""
    store = Store.open(path, read_only=True)
    status, receipts = store.campaign(1), store.state.receipts(1)
    assert (status.state, status.pairs_done) == ("paused", status.pairs)
    assert severities(path) == severities(undisturbed)
    assert invoke("run", config, "--store", path).code == 0
    assert store.campaign(1).state == "finished"
    assert store.state.receipts(1) == receipts
    assert not [*path.rglob("*.tmp*")]
    assert severities(path) == severities(undisturbed)
    assert invoke("verify", "--store", path).code == 0


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
def test_one_stop_lets_the_run_seal(tmp_path: Path, finished_store: Path, by: str) -> None:
    done = run_stopped(tmp_path / "store", by, "once", "run", write_config(tmp_path))
    assert (done.code, done.out[:11]) == (130, "campaign 1:")
    assert Store.open(tmp_path / "store", read_only=True).campaign(1).state == "finished"
    assert severities(tmp_path / "store") == severities(finished_store)


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
def test_a_second_stop_ends_the_run_at_once(invoke: Invoke, tmp_path: Path, finished_store: Path, by: str) -> None:
    config, path = write_config(tmp_path), tmp_path / "store"
    done = run_stopped(path, by, "twice", "run", config)
    assert (done.code, done.out) == (130, "")
    assert done.err.endswith("\nstopped at once; run it again to continue\n")
    assert not [*path.rglob("campaign.duckdb*")], "half a sealed file would only take room"
    check_finishes(invoke, config, path, finished_store)


@pytest.mark.parametrize(("by", "code"), [("SIGTERM", 0), ("SIGINT", 130), ("command", 0)])
def test_one_stop_lets_the_worker_seal(tmp_path: Path, finished_store: Path, by: str, code: int) -> None:
    store = submit(tmp_path / "store", write_config(tmp_path))
    done = run_stopped(store.layout.root, by, "once", "worker", "start", "--foreground")
    assert done.code == code
    assert done.err.endswith(" worker ended\n")
    assert store.campaign(1).state == "finished"
    assert severities(store.layout.root) == severities(finished_store)


@pytest.mark.parametrize("by", ["SIGTERM", "SIGINT", "command"])
def test_a_second_stop_ends_the_worker_at_once(invoke: Invoke, tmp_path: Path, finished_store: Path, by: str) -> None:
    config = write_config(tmp_path)
    store = submit(tmp_path / "store", config)
    done = run_stopped(store.layout.root, by, "twice", "worker", "start", "--foreground")
    assert done.code == 130
    assert done.err.endswith(" stopped at once\n")
    check_finishes(invoke, config, store.layout.root, finished_store)
