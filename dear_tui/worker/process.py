"""Starting a detached worker, and hearing from it that it is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from engine.errors import DearError, InputError, UnreachableError
from engine.paths import present_folder
from engine.store import Store
from engine.store.files import make_private, opened_own

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store import WorkerStatus

REAPER = "worker-reaper"
UNTIL_EMPTY = "--until-empty"

_ERRORS: dict[int, type[DearError]] = {kind.exit_code: kind for kind in (DearError, InputError, UnreachableError)}


@dataclass(frozen=True)
class Answer:
    """The one line that a worker writes to its standard output: that it is there, or why it cannot be."""

    pid: int | None = None
    error: str = ""
    exit_code: int = 0

    def to_line(self) -> str:
        """The answer as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Answer:
        """Of a process that ended without a word, say so."""
        silent = cls(error="the worker ended at once; worker.log in the store says why", exit_code=1)
        return cls(**json.loads(line)) if line else silent


def log_path(store: Path) -> Path:
    """Where a detached worker writes what it has to say."""
    return store / "worker.log"


def start_worker(path: Path, until_empty: bool) -> int:
    """Start the worker of a store in a session of its own; returns its process id once it is the worker.

    It runs the queue as soon as no process in the foreground is at work.

    Raises:
        DearError: the one the worker met, with its exit code.
    """
    Store.open(path).close()  # made here, because the log lies in it
    make_private(log_path(path))
    with opened_own(log_path(path), os.O_WRONLY | os.O_APPEND) as log:
        try:
            process = subprocess.Popen(
                # -P: a file `random.py` in the present folder is not Python's
                [sys.executable, "-P", "-m", "dear_tui.worker", str(path.absolute()), *([UNTIL_EMPTY] * until_empty)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=present_folder(),  # without one, torch's library ends the process
                start_new_session=True,  # closing the terminal must not end it
            )
        except OSError as error:
            raise UnreachableError(
                f"{path}: no worker can be started ({error.strerror}); end other processes, or run the queue here with "
                "`dear-tui worker start --foreground`"
            ) from None
    # reaped when it ends: a dead child that nobody waited for looks alive to those who ask for its id
    threading.Thread(target=process.wait, name=REAPER, daemon=True).start()
    assert process.stdout is not None
    answer = Answer.from_line(process.stdout.readline())
    if answer.pid is None:
        raise _ERRORS.get(answer.exit_code, DearError)(answer.error)
    return answer.pid


def ensure_worker(path: Path) -> WorkerStatus:
    """See to it that the queue is run: by the worker there is, else by one that ends when the queue is empty.

    Returns:
        The worker, which may be waiting for a process in the foreground.

    Raises:
        DearError: no worker could be started.
    """
    with Store.open(path) as store:
        if not store.worker().running:
            try:
                start_worker(path, until_empty=True)
            except UnreachableError:
                if not store.worker().running:  # else another process was quicker
                    raise
        return store.worker()
