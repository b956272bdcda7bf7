"""What ends a query of `dear-tui sql` from outside: ctrl+c and a time limit, which DuckDB heeds between two values."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dear_tui.cli.printing.say import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.store.sql.sql import SqlSession

HEED_SECONDS = 2.0
"""within which DuckDB has stopped, unless it is at a single value that may take it hours"""


@contextmanager
def stopped_from_outside(session: SqlSession, timeout_s: float | None, half_written: Path | None) -> Iterator[None]:
    """Have ctrl+c stop the query; where DuckDB heeds neither that nor its time limit, end the process.

    Args:
        timeout_s: the session's limit.
        half_written: the file to remove before.
    """
    has_ended = threading.Event()

    def leave_if_not_heeded(seconds: float, code: int, sentence: str = "") -> None:
        if not has_ended.wait(seconds + HEED_SECONDS) and session.is_at_work:
            say(sentence, end="", file=sys.stderr, flush=True)
            if half_written is not None:
                half_written.unlink(missing_ok=True)
            os._exit(code)

    def on_ctrl_c() -> None:
        session.interrupt()
        leave_if_not_heeded(0, 130)

    if timeout_s is not None:
        too_long = f"dear-tui: SQL: the query takes longer than {timeout_s:g} s\n"
        threading.Thread(target=leave_if_not_heeded, args=[timeout_s, 2, too_long], daemon=True).start()
    with _at_each_signal(on_ctrl_c):
        try:
            yield
        finally:
            has_ended.set()


@contextmanager
def _at_each_signal(act: Callable[[], None]) -> Iterator[None]:
    """Act in another thread: Python handles a signal between two of its steps, and a query is one step."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while os.read(reading, 1):
            act()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    before = signal.set_wakeup_fd(writing)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        watcher.join()
        os.close(reading)
