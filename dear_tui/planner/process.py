"""Starting a planner, hearing what it reports, and ending it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from dear_tui.planner.reports import Report
from engine.paths import present_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dear_tui.planner.reports import Order


KEPT_BYTES = 4096
LISTEN_SECONDS = 1.0
"""how long its last words are waited for: a process that it started may hold the pipe open"""


class Planner:
    """One process with one order; the calls block."""

    def __init__(self, order: Order) -> None:
        # -P: a file `random.py` in the present folder is not Python's
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dear_tui.planner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=present_folder(),  # without one, torch's library ends the process
        )
        self._line = order.to_line()
        self._said = b""
        """the end of what it wrote to standard error"""
        self._listener = threading.Thread(target=self._listen, name="planner-errors", daemon=True)
        self._listener.start()

    def reports(self) -> Iterator[Report]:
        """What it reports until it ends; nothing more after `end`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{self._line}\n")
            self._process.stdin.close()
        last = None
        for line in self._process.stdout:
            last = Report.from_line(line)
            yield last
        code = self._process.wait()
        self._listener.join(LISTEN_SECONDS)
        if last is None or last.kind not in ("estimate", "submitted", "error"):
            yield Report("error", f"trying the config out ended with exit code {code}{self._last_words(code)}")

    def end(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()

    def _listen(self) -> None:
        """Keep the end of what it says beside its reports, such as Python's or CUDA's last words."""
        assert self._process.stderr is not None
        while some := os.read(self._process.stderr.fileno(), KEPT_BYTES):
            self._said = (self._said + some)[-KEPT_BYTES:]
        self._process.stderr.close()

    def _last_words(self, code: int) -> str:
        """Its last line; nothing of one that was killed, whose last line is about something else."""
        lines = self._said.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last}" if last and code != -signal.SIGKILL else ""
