"""What is done before the first fault, in words, and how long that still takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.printable import printable_line
from engine.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.steps import Step

_LEAST_SECONDS = 1.0
"""of a step, before a time is told from it"""


class StepText:
    """The words for one step after the other."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._text = ""
        self._began = 0.0

    def of(self, step: Step) -> str:
        """The step, how much of it is done, and the time left."""
        now = self._clock()
        text = printable_line(step.text)
        if text != self._text:
            self._text, self._began = text, now
        if not step.total:
            return f"{text} ..."
        counted = f"{text}: {step.done:,} of {step.total:,}"
        elapsed = now - self._began
        if elapsed < _LEAST_SECONDS or not step.done:
            return counted
        return f"{counted}, ETA {duration(elapsed / step.done * (step.total - step.done))}"
