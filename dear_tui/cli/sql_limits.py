"""What ends a query of `dear-tui sql` from outside: ctrl+c and a time limit, which DuckDB heeds between two values."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.store.sql import SqlSession

HEED_SECONDS = 2.0
"""within which DuckDB has stopped, unless it is at a single value that may take it hours"""


@contextmanager
def cancelled_by_ctrl_c(session: SqlSession, half_written: Path | None) -> Iterator[None]:
    """Python handles a signal between two of its steps; a query is one step.

    Args:
        half_written: the file to remove where the process has to end in the middle of a step.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    has_ended = threading.Event()

    def watch() -> None:
        while os.read(reading, 1):
            session.interrupt()
            if not has_ended.wait(HEED_SECONDS) and session.is_at_work:
                _leave(130, half_written)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    before = signal.set_wakeup_fd(writing)
    try:
        yield
    finally:
        has_ended.set()
        signal.set_wakeup_fd(before)
        os.close(writing)
        watcher.join()
        os.close(reading)


@contextmanager
def ended_in_time(session: SqlSession, timeout_s: float | None, half_written: Path | None) -> Iterator[None]:
    """End the process where DuckDB has not kept the session's time limit.

    Args:
        half_written: the file to remove before.
    """
    has_ended = threading.Event()

    def watch(seconds: float) -> None:
        if not has_ended.wait(seconds + HEED_SECONDS) and session.is_at_work:
            print(f"dear-tui: SQL: the query takes longer than {seconds:g} s", file=sys.stderr, flush=True)
            _leave(2, half_written)

    if timeout_s is not None:
        threading.Thread(target=watch, args=[timeout_s], daemon=True).start()
    try:
        yield
    finally:
        has_ended.set()


def _leave(code: int, half_written: Path | None) -> NoReturn:
    if half_written is not None:
        half_written.unlink(missing_ok=True)
    os._exit(code)
