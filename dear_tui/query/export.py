"""A whole result as a file: all of its rows, as they come."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from dear_tui.query.desk import CancelledError
from dear_tui.query.files import write_csv, write_json
from engine.errors import DearError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.store.sql import SqlSession

WRITERS = {".csv": write_csv, ".json": write_json}
PARQUET = ".parquet"
KINDS = (*WRITERS, PARQUET)


def export_target(typed: str, store: Path) -> Path:
    """The file to write.

    Raises:
        InputError: its ending names no format, there is no such folder, or it lies in the store.
    """
    from dear_tui.cli.output import check_output

    target = Path(typed.strip()).expanduser()
    if target.suffix.lower() not in KINDS:
        raise InputError(f"{target}: end the name with {', '.join(KINDS[:-1])} or {PARQUET}")
    if target.is_dir():
        raise InputError(f"{target}: is a folder; add a name")
    check_output(target, store)
    return target


class Export:
    """One file being written: `write` in a thread; `progress` and `cancel` on the event loop."""

    def __init__(self, store: Path, sql: str, target: Path) -> None:
        self.target = target
        self._store, self._sql = store, sql
        self._session: SqlSession | None = None
        self._written: Path | None = None
        self._rows = 0
        self._started = monotonic()
        self.is_cancelled = False

    @property
    def seconds(self) -> float:
        """Since it was asked for."""
        return monotonic() - self._started

    @property
    def rows(self) -> int:
        """Written so far; of Parquet, which DuckDB writes by itself, they are not known."""
        return self._rows

    def size(self) -> int:
        """Bytes on disk so far."""
        try:
            return self._written.stat().st_size if self._written else 0
        except OSError:
            return 0

    def cancel(self) -> None:
        """Stop; no file is left. Ask until it has ended."""
        self.is_cancelled = True
        if self._session is not None:
            self._session.interrupt()

    def write(self) -> None:
        """Write all rows; the file appears when it is whole.

        Raises:
            CancelledError: as asked.
            DearError: the query failed, or the file cannot be written.
        """
        from dear_tui.cli.output import replaced_file
        from engine.store.sql import SqlSession

        try:
            with replaced_file(self.target) as written, SqlSession(self._store, output=written) as session:
                self._session, self._written = session, written
                self._check()
                self._write(session, written)
        except OSError as error:
            raise InputError(f"{self.target}: cannot be written ({error.strerror}); give another file") from None
        except DearError as error:
            if self.is_cancelled:
                raise CancelledError(str(error)) from None
            raise
        finally:
            self._session = None

    def _write(self, session: SqlSession, written: Path) -> None:
        ending = self.target.suffix.lower()
        if ending == PARQUET:
            session.write_parquet(self._sql)
            return
        result = session.query(self._sql)
        with written.open("w", encoding="utf-8", newline="") as file:
            WRITERS[ending](result, self._counted(result), file)

    def _counted(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            if self.is_cancelled:
                self._check()
            self._rows += 1
            yield row

    def _check(self) -> None:
        if self.is_cancelled:
            raise CancelledError("cancelled")
