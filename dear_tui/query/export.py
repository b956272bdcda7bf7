"""A whole result as a file: all of its rows, as they come."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from dear_tui.query.files import write_csv, write_json
from dear_tui.query.runs import CancelledError, interrupt_until_ended
from engine.errors import DearError, InputError
from engine.paths import expanded, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.store.sql.sql import Order, SqlSession

WRITERS = {".csv": write_csv, ".json": write_json}
PARQUET = ".parquet"
KINDS = (*WRITERS, PARQUET)


def export_target(typed: str, store: Path) -> Path:
    """The file to write.

    Raises:
        InputError: its ending names no format, there is no such folder, or it lies in the store.
    """
    from dear_tui.query.output import check_output

    target = expanded(Path(typed.strip()))
    if target.suffix.lower() not in KINDS:
        raise InputError(f"{target}: end the name with {', '.join(KINDS[:-1])} or {PARQUET}")
    if is_folder(target):
        raise InputError(f"{target}: is a folder; add a name")
    check_output(target, store)
    return target


class Export:
    """One file being written: `write` in a thread; `progress` and `cancel` on the event loop."""

    def __init__(self, store: Path, sql: str, target: Path, order: Order | None = None) -> None:
        self.target = target
        self._store, self._sql, self._order = store, sql, order
        self._session: SqlSession | None = None
        self._written: Path | None = None
        self.rows: int | None = None if target.suffix.lower() == PARQUET else 0
        """written so far; of Parquet, which DuckDB writes by itself, known at the end"""
        self.size = 0
        """bytes on disk, when looked at last"""
        self._started = monotonic()
        self.is_cancelled = False

    @property
    def seconds(self) -> float:
        """Since it was asked for."""
        return monotonic() - self._started

    def look(self) -> None:
        """See how much is on disk; may block."""
        with suppress(OSError):
            if self._written is not None:
                self.size = self._written.stat().st_size

    def cancel(self) -> None:
        """Stop; no file is left."""
        if not self.is_cancelled:
            self.is_cancelled = True
            interrupt_until_ended(self._interrupt, lambda: self._session is not None)

    def write(self) -> None:
        """Write all rows; the file appears when it is whole.

        Raises:
            CancelledError: as asked.
            DearError: the query failed, or the file cannot be written.
        """
        from dear_tui.query.output import replaced_file
        from engine.store.sql.sql import SqlSession

        try:
            with replaced_file(self.target) as written, SqlSession(self._store, output=written) as session:
                self._session, self._written = session, written
                self._check()
                self._write(session, written)
                self.look()
        except OSError as error:
            raise InputError(f"{self.target}: cannot be written ({error.strerror}); give another file") from None
        except DearError as error:
            if self.is_cancelled:
                raise CancelledError(str(error)) from None
            raise
        finally:
            self._session = None

    def _interrupt(self) -> None:
        if (session := self._session) is not None:
            session.interrupt()

    def _write(self, session: SqlSession, written: Path) -> None:
        ending = self.target.suffix.lower()
        if ending == PARQUET:
            from pyarrow.parquet import read_metadata

            session.write_parquet(self._sql, order=self._order)
            self.rows = int(read_metadata(written).num_rows)
            return
        result = session.query(self._sql, self._order)
        with written.open("w", encoding="utf-8", newline="") as file:
            WRITERS[ending](result, self._counted(result), file)

    def _counted(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for count, row in enumerate(rows, 1):
            if self.is_cancelled:
                self._check()
            self.rows = count
            yield row

    def _check(self) -> None:
        if self.is_cancelled:
            raise CancelledError("cancelled")
