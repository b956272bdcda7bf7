"""Processes that begin with everything imported: to import torch takes two seconds, and most of a worker's short life.

They are forked from one process that has imported it all and does nothing else. How people start a process is tested
where it is the point: in `worker/test_process.py`, `worker/test_examples.py`, `test_real_life.py` and the planner's.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[2]

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])

for name in (
    "dear_tui.cli.main",
    "dear_tui.cli.results.summary",
    "dear_tui.worker.loop",
    "engine.running.execution",
    "engine.running.networks",
    "engine.store.sql.sql",
):
    import_module(name)  # what a worker and the commands would import, early or late


class Forked:
    """Python code in a process and a session of its own; what it prints goes to files."""

    def __init__(self, folder: Path, code: str, *arguments: object) -> None:
        """Begin it in the present environment; torch has one thread there.

        Args:
            folder: where what it prints may be kept.
            code: what it runs.
            arguments: in its `sys.argv`, after the first one.
        """
        kept = Path(tempfile.mkdtemp(prefix="said-", dir=folder))
        self.out, self.err = kept / "out", kept / "err"
        for file in (self.out, self.err):
            file.touch()  # so that it can be looked into at once
        with patch.dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT)):  # of the first one, for all others
            forkserver.ensure_running()
        self._process = CONTEXT.Process(
            target=_run, args=(code, [str(one) for one in arguments], dict(os.environ), self.out, self.err)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `subprocess.Popen` has it."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; all that it printed."""
        self.wait(timeout)
        return self.out.read_text(), self.err.read_text()

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Unless it has ended."""
        self.send_signal(signal.SIGKILL)


def _run(code: str, arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    """What the new process does."""
    os.setsid()
    for number, path in enumerate((Path(os.devnull), out, err)):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
