"""Starting a planner, hearing what it reports, and ending it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from dear_tui.planner.reports import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dear_tui.planner.reports import Order


class Planner:
    """One process with one order; the calls block."""

    def __init__(self, order: Order) -> None:
        # -P: a file `random.py` in the present folder is not Python's
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dear_tui.planner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._line = order.to_line()

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
        if last is None or last.kind not in ("estimate", "submitted", "error"):
            yield Report("error", f"trying the config out ended with exit code {code}")

    def end(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()
