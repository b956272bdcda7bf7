"""A detached worker: its session, its log, and what it answers to who starts it."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from dear_tui.worker.__main__ import NICENESS, OWN_GROUP
from dear_tui.worker.process import REAPER, Answer, ensure_worker, log_path, start_worker
from engine.errors import UnreachableError
from engine.store import Store
from tests.dear_tui.worker.conftest import DEADLINE, runs, until


def test_a_detached_one_has_a_session_and_a_log_of_its_own(store: Store) -> None:
    path = store.layout.root
    started = ensure_worker(path)
    assert started.pid is not None
    try:
        assert os.getsid(started.pid) == started.pid
        assert log_path(path).stat().st_mode & 0o077 == 0
        assert os.getpriority(os.PRIO_PROCESS, started.pid) == NICENESS
        group = Path(f"/proc/{started.pid}/autogroup")
        assert not group.exists() or group.read_text().endswith(f"nice {NICENESS}\n")
        until(runs(store), "the first part")
        os.kill(started.pid, signal.SIGHUP)  # what closing a terminal would send
        os.kill(started.pid, signal.SIGTERM)
        until(lambda: not store.worker().running, "its end")
        until(lambda: f"{started.pid} worker ended" in log_path(path).read_text(), "its last words")
    finally:
        with suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGKILL)  # it has ended, unless something above failed
        for thread in threading.enumerate():
            if thread.name == REAPER:
                thread.join(DEADLINE)
    assert "Traceback" not in log_path(path).read_text()


@pytest.mark.skipif(not OWN_GROUP.exists(), reason="this kernel shares the processor by process")
def test_the_session_of_another_keeps_its_priority(tmp_path: Path) -> None:
    before = OWN_GROUP.read_text()
    code = "from dear_tui.worker.__main__ import give_way; give_way()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert OWN_GROUP.read_text() == before


@pytest.mark.parametrize("mask", [0o000, 0o777], ids=oct)
def test_the_log_is_its_owners_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        pid = start_worker(tmp_path / "store", until_empty=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(log_path(tmp_path / "store").stat().st_mode) == 0o600
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Store.open(tmp_path / "store").worker().running, "its end")


def test_a_starter_that_is_gone_before_the_answer_does_not_take_the_worker_with_it(tmp_path: Path) -> None:
    Store.open(tmp_path / "store").close()
    command = [sys.executable, "-m", "dear_tui.worker", str(tmp_path / "store")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    reader = Store.open(tmp_path / "store", read_only=True)
    until(lambda: reader.worker().heartbeat, "a heartbeat")
    assert reader.worker().pid == process.pid
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_a_file_in_the_present_folder_is_not_taken_for_pythons(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    pid = start_worker(store.layout.root, until_empty=True)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not store.worker().running, "its end")


def test_a_store_that_is_a_file_is_the_starters_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreachableError, match="it is a file"):
        start_worker(tmp_path / "file", until_empty=True)


def test_a_machine_without_room_for_another_process_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(UnreachableError, match=r"no worker can be started \(Resource temporarily unavailable\); end"):
        start_worker(tmp_path / "store", until_empty=True)


@pytest.mark.parametrize("said", [Answer(pid=7), Answer(error="no", exit_code=3)])
def test_what_the_process_says_is_one_line(said: Answer) -> None:
    assert said.to_line().count("\n") == 0
    assert Answer.from_line(said.to_line()) == said
    assert Answer.from_line("").exit_code == 1


def test_it_needs_no_terminal_library(tmp_path: Path) -> None:
    code = "import sys, dear_tui.worker.__main__; print({'textual', 'rich', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "set()\n"


def test_its_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    path, victim = tmp_path / "store", tmp_path / "thesis.tex"
    Store.open(path).close()
    victim.write_text("precious")
    log_path(path).symlink_to(victim)
    with pytest.raises(UnreachableError, match=r"worker\.log: is a link, .* instead of a file; move it away"):
        start_worker(path, until_empty=True)
    assert victim.read_text() == "precious"
