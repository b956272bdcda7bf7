"""What is done before the first fault is injected, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One thing that is being done, and how much of it is."""

    text: str
    done: int = 0
    total: int = 0
    """0 where nobody can tell"""


OnStep = Callable[[Step], None]


def nobody_waits(step: Step) -> None:
    """An `OnStep` that does nothing."""
