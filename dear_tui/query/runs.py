"""The guarded session behind the SQL screen, and one execution of a query in it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING

from dear_tui.query.memory import limit_memory
from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.store.sql.names import Names
    from engine.store.sql.sql import Order, Page, SqlSession, Statement

TIMEOUT_S = 600.0
AGAIN_SECONDS = 0.1
LIMITS = "stops after 10 min or at half the memory"


class CancelledError(DearError):
    """What was asked to stop has stopped."""


class LateSession:
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
        from engine.store.sql.names import read_names

        with self._lock:
            return read_names(self._opened())

    def _opened(self) -> SqlSession:
        from engine.store.sql.sql import MEMORY_LIMIT, SqlSession

        if self._session is None:
            self._session = SqlSession(self._store, self._memory_limit or MEMORY_LIMIT, TIMEOUT_S)
            limit_memory(self._session.memory_bytes)
        return self._session


class Run:
    """One execution of a query, whose rows are kept until `drop`.

    `read` and `page` block, so call them in threads; the rest may be called on the event loop.
    """

    def __init__(self, sql: str, statement: Callable[[LateSession], Statement] | None = None) -> None:
        """A run of this query.

        Args:
            sql: the query.
            statement: what is read where that is not the query itself.
        """
        self.sql = sql
        self._make = statement or (lambda session: session.statement(sql))
        self.total: int | None = None
        """rows of the whole result, once they are counted"""
        self.is_cancelled = False
        self.kept: int | None = None
        """rows that can be paged to, where there are more, nobody has counted how many"""
        self._started = monotonic()
        self._statement: Statement | None = None
        self._lock = threading.Lock()
        self._readers = 0
        """threads that read now"""
        self._is_dropped = False

    @property
    def seconds(self) -> float:
        """Since it was asked for."""
        return monotonic() - self._started

    def read(self, session: LateSession, on_page: Callable[[Page], object], on_total: Callable[[int], object]) -> None:
        """Run it: read the first page, then go through the rest, which keeps and counts it.

        Raises:
            CancelledError: as asked.
            DearError: the query failed.
        """
        with self._reading():
            self._statement = statement = self._make(session)
            self._go_on()
            page = statement.page()
            on_page(page)
            self._go_on()
            total = statement.count() if page.more else page.rows.num_rows
            if total is None:
                self.kept = statement.rows_read
            else:
                on_total(total)

    def page(self, first: int) -> Page:
        """Another page of the same rows, beginning with this one.

        Raises:
            CancelledError: it was cancelled, or dropped, before it came so far.
            DearError: the query failed before it came so far, or so many rows are not kept.
        """
        with self._reading():
            if self._statement is None or self._is_dropped:
                raise CancelledError("there are no rows any more")
            return self._statement.page(first)

    def sorted(self, order: Order) -> Run:
        """The rows of this run in another order: a run of its own, which needs this one until its first page is read.

        It can be read once the rows of this one are counted; before, and where they are not all kept, it fails.
        """

        def statement(_session: LateSession) -> Statement:
            if self._statement is None or self._is_dropped:
                raise CancelledError("there are no rows any more")
            return self._statement.sorted(order)

        return Run(self.sql, statement)

    def cancel(self) -> None:
        """Stop it, as soon as DuckDB heeds that."""
        if not self.is_cancelled:
            self.is_cancelled = True
            interrupt_until_ended(self._interrupt, lambda: self._readers > 0)

    def drop(self) -> None:
        """Stop it and forget its rows, as soon as no thread reads them."""
        self.cancel()
        with self._lock:
            self._is_dropped = True
            is_unread = self._readers == 0
        if is_unread:
            self._close()

    def _interrupt(self) -> None:
        if self._statement is not None:
            self._statement.interrupt()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            self._readers += 1
        try:
            yield
        except DearError as error:
            if self.is_cancelled:
                raise CancelledError(str(error)) from None
            raise
        finally:
            with self._lock:
                self._readers -= 1
                is_over = self._is_dropped and self._readers == 0
            if is_over:
                self._close()

    def _close(self) -> None:
        if self._statement is not None:
            self._statement.close()

    def _go_on(self) -> None:
        if self.is_cancelled:
            raise CancelledError("cancelled before it began")


def interrupt_until_ended(interrupt: Callable[[], object], is_at_work: Callable[[], bool]) -> None:
    """Interrupt from a thread of its own until nothing is at work: DuckDB misses what comes between two steps.

    Args:
        interrupt: asks DuckDB once.
        is_at_work: whether the thread to be stopped has anything left to do.
    """

    def ask() -> None:
        while is_at_work():
            interrupt()
            sleep(AGAIN_SECONDS)

    threading.Thread(target=ask, daemon=True).start()
