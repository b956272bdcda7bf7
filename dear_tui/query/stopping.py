"""Stopping what DuckDB computes in a thread, whenever the wish comes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

AGAIN_SECONDS = 0.1


def interrupt_until_ended(interrupt: Callable[[], object], is_at_work: Callable[[], bool]) -> None:
    """Interrupt from a thread of its own until nothing is at work: DuckDB misses what comes between two steps.

    Args:
        interrupt: asks DuckDB once.
        is_at_work: whether the thread to be stopped has anything left to do.
    """

    def ask() -> None:
        while is_at_work():
            interrupt()
            time.sleep(AGAIN_SECONDS)

    threading.Thread(target=ask, daemon=True).start()
