"""The worker beside a `run` in the foreground: it waits for its turn, and a lost state.sqlite does not part them."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest

from dear_tui.worker import loop
from dear_tui.worker.loop import Worker
from engine.store import Store
from engine.store.state.lock import Holder
from tests.dear_tui.worker.conftest import DEADLINE, submit, until, write_resting_config
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dear_tui.forked import Forked

    Launch = Callable[..., Forked]


@pytest.fixture
def run(tmp_path: Path, launch: Launch) -> Forked:
    """A `run` that does not end before the test and has committed a part, campaign 1."""
    config = write_resting_config(tmp_path)
    process = launch(tmp_path / "store", str(config), command=("run",))
    until((tmp_path / "store" / "state.sqlite").exists, "a store")
    until(lambda: has_parts(Store.open(tmp_path / "store", read_only=True)), "the first part")
    return process


@pytest.fixture
def store(tmp_path: Path, run: Forked) -> Store:  # noqa: ARG001
    """Where it runs; a short campaign, 2, is queued behind it."""
    return submit(tmp_path / "store", write_config(tmp_path, "short.toml"))


def has_parts(store: Store) -> bool:
    return any(store.state.receipts(status.id) for status in store.campaigns())


def lose_state(store: Store) -> None:
    for file in (store.layout.state, *store.layout.state_logs):
        file.unlink(missing_ok=True)


def test_it_runs_the_queue_when_the_run_has_ended(store: Store, run: Forked, launch: Launch) -> None:
    worker = launch(store.layout.root, "--until-empty")
    until(lambda: store.worker().waits_for == run.pid, "the worker to wait")
    assert store.worker().pid == worker.pid
    assert {status.id: status.state for status in store.campaigns()} == {1: "running", 2: "queued"}
    run.send_signal(signal.SIGINT)
    assert run.wait(DEADLINE) == 130
    _, log = worker.communicate(timeout=DEADLINE)
    assert worker.returncode == 0
    assert f"waiting: process {run.pid} is at work in this store in the foreground" in log
    assert "Traceback" not in log
    assert {status.id: status.state for status in store.campaigns()} == {1: "paused", 2: "finished"}


def test_one_that_waits_is_stopped_at_once(store: Store, run: Forked, launch: Launch) -> None:
    worker = launch(store.layout.root)
    until(lambda: store.worker().waits_for == run.pid, "the worker to wait")
    store.queue.stop_worker()
    assert worker.wait(DEADLINE) == 0
    assert run.poll() is None
    assert store.campaign(2).state == "queued"


HOLDER = Holder(7, "foreground")


@pytest.mark.parametrize(
    ("holders", "expected", "looks"),
    [
        ([], [False], 0),
        ([HOLDER, None], [False], 1),
        ([HOLDER, None, None, HOLDER, None, None], [True, True, True, False], 5),
    ],
    ids=["nobody there", "a process that ends", "one that goes on to its next config"],
)
def test_a_run_of_several_configs_keeps_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holders: list[Holder | None], expected: list[bool], looks: int
) -> None:
    worker, looked = Worker(tmp_path, until_empty=True), list[float]()
    seen, expects = chain(holders, repeat(None)), iter(expected)
    monkeypatch.setattr(worker._store, "holder", lambda: next(seen))
    monkeypatch.setattr(worker._store, "expects_holder", lambda: next(expects))
    monkeypatch.setattr(worker._stopping, "wait", looked.append)
    with ExitStack() as turn:
        assert worker._wait_for_turn(turn)
        assert Store.open(tmp_path, read_only=True).holder() == Holder(os.getpid(), "worker")
    assert len(looked) == looks


def test_a_process_that_lives_on_without_a_run_keeps_it_for_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, seen = Worker(tmp_path, until_empty=True), chain([Holder(os.getpid(), "foreground")], repeat(None))
    monkeypatch.setattr(worker._store, "holder", lambda: next(seen))
    monkeypatch.setattr(worker._store, "expects_holder", lambda: True)
    monkeypatch.setattr(loop, "TURN_SECONDS", 0.0)
    with ExitStack() as turn:
        assert worker._wait_for_turn(turn)


def test_an_idle_worker_is_in_nobodys_way(tmp_path: Path, launch: Launch) -> None:
    submit(tmp_path / "store", write_config(tmp_path))
    worker = launch(tmp_path / "store")
    store = Store.open(tmp_path / "store", read_only=True)
    until(lambda: store.campaign(1).state == "finished" and store.holder() is None, "an idle worker")
    assert store.worker().running
    for command in (("verify",), ("run", str(write_config(tmp_path, "other.toml", faults={"seed": 2})))):
        process = launch(tmp_path / "store", command=command)
        _, said = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, said
    assert worker.poll() is None
    assert [status.state for status in store.campaigns()] == ["finished", "finished"]
    submit(tmp_path / "store", write_config(tmp_path, "third.toml", faults={"seed": 3}))
    until(lambda: store.campaign(3).state == "finished", "the next of the queue")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE) == 0


def test_state_sqlite_lost_under_a_run_is_rebuilt_by_it_and_the_worker_goes_on_waiting(
    store: Store, run: Forked, launch: Launch
) -> None:
    worker = launch(store.layout.root)  # one that ends at once would, where it finds the queue before all is back in it
    until(lambda: store.worker().waits_for == run.pid, "the worker to wait")
    parts = len(store.state.receipts(1))
    store.close()
    lose_state(store)
    until(store.layout.state.exists, "another state.sqlite")
    rebuilt = Store.open(store.layout.root, read_only=True)
    until(lambda: len(rebuilt.campaigns()) == 2, "the campaigns in it")
    until(lambda: rebuilt.campaign(1).state == "running", "the run to go on")
    until(lambda: not rebuilt.state.receipts(1)[-1].rebuilt, "another part")
    assert all(receipt.rebuilt for receipt in rebuilt.state.receipts(1)[:parts])
    until(lambda: rebuilt.worker().waits_for == run.pid, "the worker to wait again")
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 130
    assert "state.sqlite: lost or replaced while it was in use; it is rebuilt from the campaigns" in said
    until(lambda: rebuilt.campaign(2).state == "finished", "the second campaign's end")
    worker.send_signal(signal.SIGTERM)
    _, log = worker.communicate(timeout=DEADLINE)
    assert worker.returncode == 0
    assert "Traceback" not in said + log
    assert {status.id: status.state for status in rebuilt.campaigns()} == {1: "paused", 2: "finished"}
