"""The guarded session behind the SQL screen, and one execution of a query in it."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from dear_tui.query.memory import limit_memory
from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.store.sql import Page, SqlSession, Statement
    from engine.store.sql_names import Names

TIMEOUT_S = 600.0
LIMITS = "stops after 10 min or at half the memory"


class CancelledError(DearError):
    """What was asked to stop has stopped."""


class Desk:
    """Opens the session when it is first needed; every call may block, so call it off the event loop."""

    def __init__(self, store: Path, memory_limit: str | None = None) -> None:
        """The limit is DuckDB's and, from when it opens, this process's; absent: the usual one."""
        self._store = store
        self._memory_limit = memory_limit
        self._session: SqlSession | None = None
        self._lock = threading.Lock()

    def statement(self, sql: str) -> Statement:
        """Check a query.

        Raises:
            DearError: it is refused, or there is no store.
        """
        with self._lock:
            return self._opened().statement(sql)

    def names(self) -> Names:
        """What a query may name.

        Raises:
            DearError: the store cannot be queried.
        """
        from engine.store.sql_names import read_names

        with self._lock:
            return read_names(self._opened())

    def _opened(self) -> SqlSession:
        from engine.store.sql import MEMORY_LIMIT, SqlSession

        if self._session is None:
            self._session = SqlSession(self._store, self._memory_limit or MEMORY_LIMIT, TIMEOUT_S)
            limit_memory(self._session.memory_bytes)
        return self._session


class Run:
    """One execution: `read` in a thread, `cancel` on the event loop; its rows are dropped with it."""

    def __init__(self, sql: str, first: int = 0, total: int | None = None, page_rows: int = 0) -> None:
        """A run to come.

        Args:
            first: the row to begin with, when paging.
            total: rows of the whole result, where an earlier run has counted them.
            page_rows: of a full page, where an earlier run has read one.
        """
        self.sql = sql
        self.first = first
        self.total = total
        self.page_rows = page_rows
        self.is_cancelled = False
        self._started = monotonic()
        self._statement: Statement | None = None

    @property
    def seconds(self) -> float:
        """Since it was asked for."""
        return monotonic() - self._started

    def read(self, desk: Desk, on_page: Callable[[Page], object], on_total: Callable[[int], object]) -> None:
        """Read a page, then count what comes after it, where that is not known.

        Raises:
            CancelledError: as asked.
            DearError: the query failed.
        """
        try:
            self._read(desk, on_page, on_total)
        except DearError as error:
            if self.is_cancelled:
                raise CancelledError(str(error)) from None
            raise

    def _read(self, desk: Desk, on_page: Callable[[Page], object], on_total: Callable[[int], object]) -> None:
        with desk.statement(self.sql) as statement:
            self._statement = statement
            self._go_on()
            page = statement.page(self.first)
            on_page(page)
            if not page.more:
                on_total(page.first + page.rows.num_rows)
            elif self.total is None:
                self._go_on()
                on_total(statement.count())

    def cancel(self) -> None:
        """Stop it; asked between two steps it may be missed by DuckDB, so ask until it has ended."""
        self.is_cancelled = True
        if self._statement is not None:
            self._statement.interrupt()

    def _go_on(self) -> None:
        if self.is_cancelled:
            raise CancelledError("cancelled before it began")
