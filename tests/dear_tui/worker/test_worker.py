"""The worker as a process: it runs the queue, obeys, beats, and is followed by another when it dies."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from dear_tui.worker.loop import Worker
from dear_tui.worker.process import ensure_worker, start_worker
from engine.errors import UnreachableError
from engine.running.progress import Progress
from engine.steps import Step
from engine.store import Store
from tests.dear_tui.worker.conftest import DEADLINE, RESTING_IMAGES, runs, submit, until
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.running.networks import Networks
    from engine.store import Action
    from tests.dear_tui.forked import Forked

    Launch = Callable[..., Forked]


def ended(process: Forked) -> tuple[int, str]:
    """Exit code and log of a worker that ends by itself; the log holds no traceback."""
    _, log = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in log, log
    return process.wait(), log


def test_it_runs_the_queue_in_order_and_ends_when_it_is_to(tmp_path: Path, launch: Launch) -> None:
    seeds = (5, 6, 7)
    configs = [write_config(tmp_path, f"{seed}.toml", faults={"seed": seed}) for seed in seeds]
    store = submit(tmp_path / "store", *configs)
    store.queue.move(3, 1)
    code, log = ended(launch(tmp_path / "store", "--until-empty"))
    assert code == 0
    assert [status.state for status in store.campaigns()] == ["finished"] * 3
    assert [line.split()[3] for line in log.splitlines() if line.endswith("finished")] == ["3:", "1:", "2:"]
    assert not store.worker().running


def test_what_is_queued_while_it_ends_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever submits sees that the lock is held, and starts no other worker."""
    work, config, rounds = Worker._work, write_config(tmp_path), iter(range(2))

    def looks_too_early(self: Worker) -> None:
        if next(rounds) == 0:
            submit(tmp_path / "store", config)
        else:
            work(self)

    monkeypatch.setattr(Worker, "_work", looks_too_early)
    monkeypatch.setattr("dear_tui.worker.loop.LINGER_SECONDS", 0.0)
    assert Worker(tmp_path / "store", until_empty=True).run(lambda: None) == 0
    assert Store.open(tmp_path / "store", read_only=True).campaign(1).state == "finished"
    assert next(rounds, None) is None


def test_it_waits_for_more_and_beats_meanwhile(tmp_path: Path, launch: Launch) -> None:
    store = Store.open(tmp_path / "store")
    process = launch(tmp_path / "store")
    until(lambda: store.worker().heartbeat, "a heartbeat")
    found = store.worker()
    assert (found.running, found.pid, found.campaign, found.rate) == (True, process.pid, None, None)
    submit(tmp_path / "store", write_config(tmp_path))
    until(lambda: store.campaign(1).state == "finished", "the campaign's end")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def test_its_heartbeat_says_what_it_does(store: Store, launch: Launch) -> None:
    launched = time.monotonic()
    process = launch(store.layout.root)
    until(lambda: store.worker().rate, "a rate")
    found = store.worker()
    assert (found.pid, found.campaign, found.device) == (process.pid, 1, "cpu")
    assert found.block is not None
    assert 0 <= found.block[0] < found.block[1] <= RESTING_IMAGES
    assert found.silence_s is not None
    assert 0 <= found.silence_s < time.monotonic() - launched


def test_its_heartbeat_says_what_comes_before_the_first_pair_and_after_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store"
    submit(path, write_config(tmp_path)).close()
    reader = Store.open(path, read_only=True)

    def said() -> tuple[int | None, str | None]:
        return reader.worker().campaign, reader.worker().step

    def execute(store: Store, campaign: int, worker: Worker, _stops: Callable[[], bool], _networks: Networks) -> None:
        until(lambda: said() == (1, "the worker is starting"), "the campaign, before its first step")
        worker.on_step(Step("ranking the images", 512, 1024))
        until(lambda: said() == (1, "ranking the images: 512 of 1,024"), "the step")
        worker.on_progress(Progress(100, 2400, 5.0, 460.0, 60, 30, 10, (0, 16)))
        until(lambda: said() == (1, None) and reader.worker().block == (0, 16), "a block")
        worker.on_progress(Progress(2400, 2400, 5.0, 0.0, 2000, 300, 100, None))
        until(lambda: said() == (1, "sealing"), "the sealing")
        store.queue.settle(campaign, "cancelled")  # which sealing has not set

    monkeypatch.setattr("engine.running.execution.execute_queued", execute)
    monkeypatch.setattr("dear_tui.worker.loop.LINGER_SECONDS", 0.0)
    assert Worker(path, until_empty=True).run(lambda: None) == 0


READS = """
import sys
from pathlib import Path
from engine.store import Store
from engine.store.sql.sql import SqlSession
for _ in range(3):  # five reads each
    store = Store.open(Path(sys.argv[1]), read_only=True)
    status, worker, curve = store.campaign(1), store.worker(), store.curve(1)
    assert worker.running and status.state == "running" and status.pairs_done > 0, (status, worker)
    with SqlSession(Path(sys.argv[1])) as session:
        ((pairs,),) = session.query("SELECT count(*) FROM severity")
    assert 0 < pairs <= status.pairs
    store.close()
"""


def test_reads_from_two_other_processes_succeed_while_it_works(store: Store, launch: Launch) -> None:
    process = launch(store.layout.root)
    until(runs(store), "the first part")
    command = [sys.executable, "-c", READS, str(store.layout.root)]
    readers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(reader.communicate(timeout=DEADLINE)[1], reader.returncode) for reader in readers] == [("", 0)] * 2
    assert process.poll() is None


def test_a_dead_worker_is_dead_at_once_and_the_next_one_goes_on_where_it_was(store: Store, launch: Launch) -> None:
    process = launch(store.layout.root)
    until(runs(store), "the first part")
    process.kill()
    process.wait()
    assert not store.worker().running
    status = store.campaign(1)
    assert (status.state, status.rate, status.eta_s) == ("paused", None, None)
    before = store.state.receipts(1)
    launch(store.layout.root)
    until(lambda: len(store.state.receipts(1)) > len(before), "the next part")
    assert store.campaign(1).state == "running"
    assert store.state.receipts(1)[: len(before)] == before


def test_stop_finishes_the_part_and_the_campaign_is_first_again(store: Store, launch: Launch) -> None:
    process = launch(store.layout.root)
    until(runs(store), "the first part")
    assert store.queue.stop_worker() == 1
    code, log = ended(process)
    assert code == 0
    assert "stopping after the part being computed" in log
    status = store.campaign(1)
    assert (status.state, store.queue.waiting()) == ("queued", [1, 2])
    assert 0 < status.pairs_done < status.pairs
    assert not list(store.layout.root.rglob("*.tmp"))


def hold_still(process: Forked, store: Store) -> None:
    """At a moment when it is not writing to the state, so that others can."""
    with closing(sqlite3.connect(store.layout.state, timeout=DEADLINE, isolation_level=None)) as state:
        state.execute("BEGIN IMMEDIATE")
        process.send_signal(signal.SIGSTOP)
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "it to stand still")
        state.execute("ROLLBACK")


def begins(connection: sqlite3.Connection) -> bool:
    """Whether this connection is the one that may write now."""
    with suppress(sqlite3.OperationalError):
        connection.execute("BEGIN IMMEDIATE")
        return True
    return False


def test_the_second_signal_is_heeded_while_another_process_writes_to_the_state_file(
    store: Store, launch: Launch
) -> None:
    """SQLite would wait for it for half a minute."""
    process = launch(store.layout.root)
    until(runs(store), "the first part")
    with closing(sqlite3.connect(store.layout.state, isolation_level=None)) as other:
        until(lambda: begins(other), "nobody else writing")
        for number in (signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        assert process.wait(timeout=15) == 130
    assert store.holder() is None


@pytest.mark.parametrize("by", ["signal", "command"])
def test_a_second_stop_ends_it_at_once_with_nothing_lost(store: Store, launch: Launch, by: str) -> None:
    process = launch(store.layout.root, before="later = 60.0\n")  # it hears of both before it looks for the first
    until(runs(store), "the first part")
    hold_still(process, store)  # so that it hears of both at once, however short the parts are
    before = store.state.receipts(1)
    for _ in range(2):
        if by == "command":
            store.queue.stop_worker()
    if by == "signal":
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    code, log = ended(process)
    assert code == 130
    assert "stopped at once" in log
    assert store.state.receipts(1)[: len(before)] == before
    assert not store.worker().running
    assert store.campaign(1).state == "paused"


def test_ctrl_c_in_the_foreground_is_an_interruption(store: Store, launch: Launch) -> None:
    process = launch(store.layout.root)
    until(runs(store), "the first part")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    assert store.campaign(1).state == "queued"


@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("delete", None)])
def test_what_is_asked_of_the_running_campaign_is_done_and_the_next_one_is_run(
    store: Store, launch: Launch, action: Action, state: str | None
) -> None:
    process = launch(store.layout.root)
    until(runs(store), "the first part")
    store.queue.request(action, 1)
    until(lambda: store.campaign(2).state == "finished", "the second campaign's end")
    found = {status.id: status.state for status in store.campaigns()}
    assert found == ({2: "finished"} if state is None else {1: state, 2: "finished"})
    assert store.layout.campaign(1).folder.exists() == (state is not None)
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def test_a_campaign_that_fails_does_not_keep_the_others_from_running(
    tmp_path: Path, store: Store, launch: Launch
) -> None:
    store.queue.request("delete", 1)
    config = write_config(tmp_path, "gone.toml", faults={"seed": 9}, dataset={"path": "gone.npz"} | _copied(tmp_path))
    submit(store.layout.root, config)
    (tmp_path / "gone.npz").unlink()
    store.queue.move(3, 1)
    process = launch(store.layout.root)
    until(lambda: store.campaign(2).state == "finished", "the other campaign's end")
    failed = store.campaign(3)
    assert failed.state == "failed"
    assert failed.error is not None
    assert "gone.npz" in failed.error
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def _copied(folder: Path) -> dict[str, Any]:
    (folder / "gone.npz").write_bytes((folder / "set.npz").read_bytes())
    return {}


def test_two_workers_on_one_store(store: Store, launch: Launch) -> None:
    first = launch(store.layout.root)
    until(lambda: store.worker().pid == first.pid, "the first worker")
    code, log = ended(launch(store.layout.root))
    assert code == 3
    assert log.count("\n") == 1
    assert f"process {first.pid} is at work in this store as its worker" in log
    with pytest.raises(UnreachableError, match=f"process {first.pid} is at work in this store"):
        start_worker(store.layout.root, until_empty=True)
    assert ensure_worker(store.layout.root).pid == first.pid


def test_the_demo_in_a_terminal_is_queued_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole config reaches the worker, defaults and all."""
    from dear_tui.cli import main
    from engine.config.campaign_config import load_config

    path, opened = tmp_path / "store", []

    def open_terminal(*arguments: Any) -> None:
        opened.append(arguments)
        until(lambda: Store.open(path, read_only=True).campaign(1).state == "finished", "the campaign's end")

    monkeypatch.setattr("dear_tui.cli.terminal.is_terminal", lambda: True)
    monkeypatch.setattr("dear_tui.cli.terminal.open_terminal", open_terminal)
    tables = load_config(write_config(tmp_path)).model_dump(mode="json", exclude_none=True)
    monkeypatch.setattr("dear_tui.cli.demo.DEMO", tables)
    assert main(["demo", "--store", str(path)]) == 0
    assert opened == [(path, 1)]
    assert main(["demo", "--store", str(path)]) == 0, "finished, it is only shown"
    Store.open(path).queue.stop_worker()
    until(lambda: not Store.open(path).worker().running, "its end")


def test_state_sqlite_deleted_under_a_worker_is_rebuilt_and_the_campaigns_go_on(store: Store, launch: Launch) -> None:
    path = store.layout.root
    process = launch(path, "--until-empty")
    until(runs(store), "the first part")
    parts = len(store.state.receipts(1))
    store.close()
    for file in (store.layout.state, *store.layout.state_logs):
        file.unlink()
    until(store.layout.state.exists, "another state.sqlite")
    until(lambda: len(Store.open(path, read_only=True).campaigns()) == 2, "the campaigns in it")
    rebuilt = Store.open(path, read_only=True)
    until(lambda: rebuilt.campaign(1).state == "running", "the campaign to go on")
    until(lambda: len(rebuilt.state.receipts(1)) > parts, "another part")
    rebuilt_parts = [receipt.rebuilt for receipt in rebuilt.state.receipts(1)]
    assert rebuilt_parts[:parts] == [True] * parts
    Store.open(path).queue.request("cancel", 1)
    code, log = ended(process)
    assert code == 0
    assert "lost or replaced while it was in use; it is rebuilt from the campaigns" in log
    assert {status.id: status.state for status in rebuilt.campaigns()} == {1: "cancelled", 2: "finished"}


@pytest.mark.parametrize("is_idle", [False, True])
def test_a_store_that_is_moved_or_removed_ends_its_worker_and_is_not_made_anew(
    tmp_path: Path, store: Store, launch: Launch, is_idle: bool
) -> None:
    path = tmp_path / "idle" if is_idle else store.layout.root
    opened = Store.open(path)
    process = launch(path)
    until(lambda: opened.worker().heartbeat, "a worker") if is_idle else until(runs(store), "the first part")
    path.rename(tmp_path / "moved")
    code, log = ended(process)
    assert code == 3
    assert f"dear-tui: {path}: the store was removed or moved while it was in use\n" in log
    assert not path.exists()
    if not is_idle:
        assert Store.open(tmp_path / "moved").campaign(1).state in ("failed", "queued")
