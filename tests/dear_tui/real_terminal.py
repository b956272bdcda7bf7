"""A real terminal: a program in a pseudo-terminal, and the screen that it draws there."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 60.0
"""seconds after which a test gives up on what it waits for"""

SIZE = ("COLUMNS", "LINES")
"""variables that a program believes rather than its terminal; pytest's own parallel workers may have them set"""

DEAR_TUI = [str(Path(sys.executable).with_name("dear-tui"))]


class Terminal:
    """A program in a pseudo-terminal of 80x24, unless it is resized."""

    def __init__(self, command: list[str], term: str = "xterm-256color", **variables: str) -> None:
        self.screen = pyte.Screen(80, 24)
        self.written = b""
        """all that the program wrote"""
        self._stream = pyte.ByteStream(self.screen)
        ours = {name: value for name, value in os.environ.items() if name not in SIZE}
        environment = ours | {"TERM": term, "OMP_NUM_THREADS": "1"} | variables
        self.program = pexpect.spawn(command[0], command[1:], env=environment, dimensions=(24, 80))

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def said(self) -> str:
        """What it printed, where lines that are too long go on in the next."""
        return "".join(self.screen.display).strip()

    def until(self, *expected: str, gone: str = "\0") -> None:
        """Draw what the program writes until all of this is on the screen, and that is not."""
        self.until_so(
            lambda: all(text in self.text for text in expected) and gone not in self.text,
            f"{expected} on the screen",
        )

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.program.setwinsize(rows, columns)

    def press(self, key: str) -> None:
        self.program.send(key)

    def ended(self) -> int:
        """Draw to the program's end; its exit code, or minus the signal that ended it."""
        self.until_so(lambda: False, "the program's end")
        self.program.wait()
        return -self.program.signalstatus if self.program.exitstatus is None else self.program.exitstatus

    def until_so(self, done: Callable[[], bool], awaited: str) -> None:
        """Draw until something is so."""
        deadline = time.monotonic() + DEADLINE
        while not done():
            try:
                written = self.program.read_nonblocking(65536, timeout=deadline - time.monotonic())
                self.written += written
                self._stream.feed(written)
            except pexpect.EOF:
                assert awaited == "the program's end", f"it ended before {awaited}:\n{self.text}"
                return
            except pexpect.TIMEOUT:
                pytest.fail(f"waited {DEADLINE:.0f} s for {awaited}:\n{self.text}")
