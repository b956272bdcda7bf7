"""A disk that is really full: the campaign waits, says so, and goes on by itself with nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from engine.config.campaign_config import load_config
from engine.errors import DiskFullError
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.store import Store
from engine.store.sql.sql import SqlSession
from engine.store.state.lock import Holder
from tests.dear_tui.worker.conftest import DEADLINE, submit, until
from tests.dear_tui.worker.held import HELD, Hold
from tests.small_campaign import write_config
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.running.progress import Progress
    from engine.steps import Step
    from engine.store import CampaignStatus
    from tests.dear_tui.forked import Forked

FAULTS = {"count": 2000}
"""whose parts fit on 3 MB, and what sealing needs for a while does not"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB, on which a small campaign can be finished."""
    with small_disk(tmp_path / "disk", "6m") as folder:
        yield folder


def fill(disk: Path) -> Path:
    """Take all the room there is, to the last byte."""
    filler = disk / "filler"
    descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
    try:
        for size in (1 << 16, 1 << 12, 1):
            while True:
                try:
                    os.write(descriptor, b"\0" * size)
                except OSError:
                    break
    finally:
        os.close(descriptor)
    return filler


def make_size(disk: Path, size: str) -> None:
    """Mount the file system anew, of another size, with what is on it."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


class Silent:
    """Listens to nothing."""

    def on_campaign(self, status: CampaignStatus) -> None: ...

    def on_step(self, step: Step) -> None: ...

    def on_progress(self, progress: Progress) -> None: ...

    def on_note(self, note: str) -> None: ...


def results(store: Path) -> list[list[tuple[Any, ...]]]:
    with SqlSession(store) as session:
        tables = ("severity", "critical", "fault_summary", "curve")
        return [list(session.query(f"SELECT * EXCLUDE campaign FROM {table} ORDER BY ALL")) for table in tables]


def test_a_full_disk_pauses_the_campaign_until_there_is_room(
    tmp_path: Path, disk: Path, launch: Callable[..., Forked], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_size(disk, "3m")
    config = write_config(tmp_path, faults=FAULTS)
    store = submit(disk / "store", config)
    hold = Hold(tmp_path, monkeypatch)
    process = launch(disk / "store", before=HELD)
    until(lambda: store.state.receipts(1), "the first part")
    filler = fill(disk)
    hold.let_go()
    until(lambda: store.campaign(1).error, "the message")
    waiting = store.campaign(1)
    assert waiting.state == "paused"
    assert waiting.error is not None
    assert "No space left on device" in waiting.error
    assert "free some space" in waiting.error
    assert waiting.error.endswith("it goes on by itself")
    before = store.state.receipts(1)
    assert (store.worker().running, store.worker().pid) == (True, process.pid)
    beat = store.worker().heartbeat
    until(lambda: store.worker().heartbeat != beat, "the next heartbeat")

    filler.unlink()
    until(lambda: store.campaign(1).pairs_done == store.campaign(1).pairs, "the last part")
    until(lambda: store.campaign(1).error, "the message that there is no room for the seal")
    assert store.campaign(1).state == "paused"
    make_size(disk, "64m")
    until(lambda: store.campaign(1).state == "finished", "the campaign's end")
    assert store.campaign(1).error is None
    assert store.state.receipts(1)[: len(before)] == before
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    execute(prepare(load_config(config)), tmp_path / "undisturbed", Silent(), lambda: False)
    assert results(disk / "store") == results(tmp_path / "undisturbed")
    store.close()


@pytest.mark.parametrize("has_reserve", [True, False])
def test_a_worker_that_is_started_on_a_full_disk_says_so_once_and_goes_on_by_itself(
    tmp_path: Path, disk: Path, launch: Callable[..., Forked], has_reserve: bool
) -> None:
    store = submit(disk / "store", write_config(tmp_path))
    if not has_reserve:
        store.layout.reserve.unlink()
    filler = fill(disk)
    process = launch(disk / "store", "--until-empty")
    until(lambda: store.holder() == Holder(process.pid, "worker"), "the worker's lock")
    if has_reserve:
        until(lambda: store.campaign(1).error, "the message")
        assert store.campaign(1).state == "paused"
    else:
        until(lambda: "free some space; it goes on by itself" in process.err.read_text(), "the message")
    filler.unlink()
    _, log = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert log.count("state.sqlite: cannot be written") <= 1
    assert store.campaign(1).state == "finished"
    store.close()


def test_a_commit_without_room_is_a_full_disk_and_can_be_tried_again(tmp_path: Path, disk: Path) -> None:
    store = submit(disk / "store", write_config(tmp_path))
    store.layout.reserve.unlink()
    filler = fill(disk)
    for _ in range(2):
        with pytest.raises(DiskFullError, match="free some space"), store.state.transaction():
            store.state.set_error(1, "x" * 100_000)
    filler.unlink()
    with store.state.transaction():
        store.state.set_error(1, "as it should be")
    assert store.campaign(1).error == "as it should be"
    store.close()


def test_a_disk_that_is_full_from_the_start_queues_nothing_and_is_said_so(tmp_path: Path, disk: Path) -> None:
    config = write_config(tmp_path)
    Store.open(disk / "store").close()
    filler = fill(disk)
    with pytest.raises(DiskFullError, match="free some space"):
        submit(disk / "store", config)
    filler.unlink()
    assert Store.open(disk / "store", read_only=True).campaigns() == []
    assert submit(disk / "store", config).queue.waiting() == [1]
