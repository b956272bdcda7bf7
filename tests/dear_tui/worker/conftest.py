"""Real workers, seen off at the end of a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from engine.config import load_config
from engine.execution import prepare_new
from engine.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 120.0
"""seconds after which a test gives up on what it waits for"""


LAUNCHED = """
import sys
import dear_tui.worker.loop
from dear_tui.cli import main
dear_tui.worker.loop.LINGER_SECONDS = 0.0
sys.exit(main())
"""


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.01)


def submit(store: Path, *configs: Path) -> Store:
    """Queue configs in a store, made where there is none."""
    opened = Store.open(store)
    for config in configs:
        opened.queue.submit(prepare_new(load_config(config)))
    return opened


@pytest.fixture(autouse=True)
def one_thread_in_the_worker(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:  # noqa: ARG001
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def launch() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `dear-tui worker start --foreground`, or another command, as a child whose exit code and log can be read.

    A worker that is to end when the queue is empty does so at once.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        store: Path, *options: str, before: str = "", command: tuple[str, ...] = ("worker", "start", "--foreground")
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", before + LAUNCHED, *command, "--store", str(store), *options],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
