"""What ends a query of `dear-tui sql` from outside: ctrl+c and a time limit, which DuckDB heeds between two values."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dear_tui.cli.printing.say import tell
from dear_tui.terminal.signals import at_each_signal

if TYPE_CHECKING:
    from collections.abc import Iterator
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
            tell(sentence, end="", flush=True)
            if half_written is not None:
                half_written.unlink(missing_ok=True)
            os._exit(code)

    def on_ctrl_c(_number: int) -> None:
        session.interrupt()
        leave_if_not_heeded(0, 130)

    if timeout_s is not None:
        too_long = f"dear-tui: SQL: the query takes longer than {timeout_s:g} s\n"
        threading.Thread(target=leave_if_not_heeded, args=[timeout_s, 2, too_long], daemon=True).start()
    with at_each_signal(on_ctrl_c):
        try:
            yield
        finally:
            has_ended.set()
