"""What is said on standard error ends nothing where it cannot be said: on a full disk, in a pipe without a reader."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dear_tui.cli import main
from dear_tui.cli.printing.say import Working, say, tell
from dear_tui.cli.run import StopOnInterrupt
from dear_tui.terminal.signals import STOPS, handled
from engine.store import Store
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from typing import IO

PROGRAM = [sys.executable, "-c", "import sys; from dear_tui.cli import main; sys.exit(main())"]


def full_disk(opened: ExitStack) -> IO[str]:
    return opened.enter_context(Path("/dev/full").open("w", buffering=1, encoding="utf-8"))


def closed_pipe(opened: ExitStack) -> IO[str]:
    reading, writing = os.pipe()
    os.close(reading)
    return opened.enter_context(os.fdopen(writing, "w", buffering=1))


@pytest.mark.parametrize("nowhere", [full_disk, closed_pipe])
def test_a_campaign_runs_to_its_end(tmp_path: Path, nowhere: object) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    with ExitStack() as opened:
        done = subprocess.run(
            [*PROGRAM, "run", str(config), "--store", str(store)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=nowhere(opened),  # type: ignore[operator]
            text=True,
            check=False,
        )
    assert done.returncode == 0
    assert done.stdout.startswith("campaign 1: small")
    assert Store.open(store, read_only=True).campaign(1).state == "finished"


def test_what_is_queued_gets_its_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    asked: list[Path] = []

    def run_queue(path: Path, *_: object) -> str:
        asked.append(path)
        return "said"

    monkeypatch.setattr("dear_tui.access.commands.run_queue", run_queue)
    with ExitStack() as opened:
        monkeypatch.setattr("sys.stderr", full_disk(opened))
        assert main(["submit", str(config), "--store", str(store)]) == 0
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space left"):
            opened.close()
    assert asked == [store]


def test_standard_output_is_another_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as opened:
        monkeypatch.setattr("sys.stdout", full_disk(opened))
        with pytest.raises(OSError, match="No space left"):
            say("data", flush=True)
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space left"):
            opened.close()


class Interrupted(io.RawIOBase):
    """Where ctrl+c comes while something is being written."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        signal.raise_signal(signal.SIGINT)
        return len(data)  # type: ignore[arg-type]


def test_ctrl_c_in_the_middle_of_a_sentence_asks_for_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python refuses to print there, with an error that ended the campaign."""
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(io.BufferedWriter(Interrupted()), line_buffering=True))
    stop = StopOnInterrupt()
    with handled(STOPS, stop.hear):
        tell("something")
    assert stop.requested


def test_what_takes_long_is_said_on_a_terminal_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.is_written = threading.Event()

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            if "asking" in text:
                self.is_written.set()
            return super().write(text)

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Working("asking", after_s=0) as working:
        assert terminal.is_written.wait(10)
        working.stop()
        shown = terminal.getvalue()
        assert shown.endswith("\x1b[2K") or shown.endswith("\x1b[?25h"), "the line is free again"
    assert terminal.getvalue() == shown
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Working("asking", after_s=60):
        pass
    assert terminal.getvalue() == ""
