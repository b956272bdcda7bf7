"""What is being done, in plain lines on standard error: for a log, a pipe, or a batch job's file."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from dear_tui.text.steps import StepText
from engine.steps import Step
from engine.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable

LOADING = Step("loading")
"""what every command does first"""

PATIENCE = 1.0
"""seconds that something is done before it is said: what takes less says nothing"""

EVERY = 25.0
"""seconds after which what is still being done is said again, so that half a minute never passes in silence"""

_LOOK = 0.5
"""seconds between two looks"""


class PlainLines:
    """Says what is being done once it has taken a while, and again every half minute.

    A thread of its own does so, because what takes long may report nothing meanwhile.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._steps = StepText(clock)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._what = ""
        """what is being done, by which one thing is told from the next"""
        self._line = ""
        """the words for it, with how much of it is done"""
        self._began = self._said = clock()
        self._is_said = True

    def __enter__(self) -> PlainLines:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def on_step(self, step: Step) -> None:
        """Something is being done before the first fault."""
        self.note(step.text, self._steps.of(step))

    def note(self, what: str, line: str, is_said: bool = False) -> None:
        """Something is being done.

        Args:
            what: by which it is told from what was done before.
            line: the words for it.
            is_said: whether they stand on standard error already.
        """
        with self._lock:
            if what != self._what:
                self._what, self._began, self._is_said = what, self._clock(), False
            self._line = line
            if is_said:
                self._said, self._is_said = self._clock(), True

    def look(self) -> None:
        """Say it where it is time to."""
        with self._lock:
            now = self._clock()
            since = now - self._began if not self._is_said else now - self._said
            if not self._line or since < (EVERY if self._is_said else PATIENCE):
                return
            again = self._is_said and self._line.endswith("...")
            line = f"{self._line} {duration(now - self._began)} so far" if again else self._line
            self._said, self._is_said = now, True
        self._say(line)

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK):
            self.look()
