"""The campaign's own process: started, heard from, stopped, gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.worker.process import REAPER, Begun, log_path, start_worker
from engine.config import load_config
from engine.errors import InputError, UnreachableError
from engine.store import Store
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 120.0
"""seconds after which a test gives up on a process"""


def ended() -> None:
    """Wait for the processes that were started."""
    for thread in threading.enumerate():
        if thread.name == REAPER:
            thread.join(DEADLINE)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def one_thread_in_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_a_started_campaign_outlives_its_starter_and_stops_on_sigterm_with_nothing_lost(tmp_path: Path) -> None:
    """Then the same call goes on with it, to its end."""
    store = tmp_path / "store"
    long = load_config(write_config(tmp_path, faults={"count": 20_000}))
    campaign = start_worker(long, store)
    pid = int(log_path(store).read_text().split()[1])
    assert os.getsid(pid) == pid, "it has a session of its own"
    os.kill(pid, signal.SIGTERM)
    ended()
    opened = Store.open(store, read_only=True)
    status = opened.campaign(campaign)
    assert status.state == "paused"
    assert 0 < status.pairs_done < status.pairs
    assert status.masked + status.non_critical + status.critical == status.pairs_done
    assert start_worker(long, store) == campaign
    ended()
    assert opened.campaign(campaign).state == "finished"


def test_a_killed_campaign_is_not_running(tmp_path: Path) -> None:
    store = tmp_path / "store"
    campaign = start_worker(load_config(write_config(tmp_path, faults={"count": 20_000})), store)
    os.kill(int(log_path(store).read_text().split()[1]), signal.SIGKILL)
    ended()
    assert Store.open(store, read_only=True).campaign(campaign).state in ("queued", "paused")


def test_a_config_that_cannot_run_is_the_starters_error(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, faults={"layers": ["conv9"]}))
    with pytest.raises(InputError, match=r"\[faults\] layers: 'conv9' matches no layer"):
        start_worker(config, tmp_path / "store")
    assert Store.open(tmp_path / "store", read_only=True).campaigns() == []


def test_a_store_that_is_a_file_is_the_starters_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreachableError, match="it is a file"):
        start_worker(load_config(write_config(tmp_path)), tmp_path / "file")


def test_the_same_config_again_is_a_new_campaign_only_where_that_is_said(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path))
    assert start_worker(config, tmp_path / "store") == 1
    ended()
    assert start_worker(config, tmp_path / "store") == 1
    ended()
    assert start_worker(config, tmp_path / "store", again=True) == 2
    ended()


def test_a_process_that_dies_at_once_is_said_so() -> None:
    begun = Begun.from_line("")
    assert (begun.campaign, begun.exit_code) == (None, 1)
    assert begun.error == "the campaign's process ended at once"


@pytest.mark.parametrize("begun", [Begun(campaign=7), Begun(error="no", exit_code=3)])
def test_what_the_process_says_is_one_line(begun: Begun) -> None:
    assert begun.to_line().count("\n") == 0
    assert Begun.from_line(begun.to_line()) == begun


def test_the_demo_opens_the_screens_on_its_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole config reaches the process, defaults and all."""
    from dear_tui.cli import main

    opened: list[Any] = []
    monkeypatch.setattr("dear_tui.cli.terminal.is_terminal", lambda: True)
    monkeypatch.setattr("dear_tui.cli.terminal.open_terminal", lambda *arguments: opened.append(arguments))
    tables = load_config(write_config(tmp_path)).model_dump(mode="json", exclude_none=True)
    monkeypatch.setattr("dear_tui.cli.demo.DEMO", tables)
    assert main(["demo", "--store", str(tmp_path / "store")]) == 0
    assert opened == [(tmp_path / "store", 1)]
    ended()
    assert Store.open(tmp_path / "store", read_only=True).campaign(1).state == "finished"


def test_run_by_hand_it_answers_in_one_line(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path)).model_dump_json()
    command = [sys.executable, "-m", "dear_tui.worker", str(tmp_path / "store")]
    done = subprocess.run(command, input=config, capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert done.returncode == 0
    assert Begun.from_line(done.stdout) == Begun(campaign=1)
    assert done.stderr.splitlines()[-1].endswith("campaign 1: finished")
