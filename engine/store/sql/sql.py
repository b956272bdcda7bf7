"""Ad-hoc SQL over a store: one SELECT at a time, in an in-memory DuckDB that can only read the campaigns."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from engine.errors import InputError, NewerStoreError, UnreachableError
from engine.store.layout import Layout
from engine.store.parquet import connect, sql_path, sql_text
from engine.store.sql.catalogue import create_views
from engine.store.sql.check import check_select
from engine.store.sql.current_state import CurrentState
from engine.store.sql.errors import reason, reported
from engine.store.sql.pages import KeptPages, pages
from engine.store.sql.pivot import with_values
from engine.store.state.state import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

GAP = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?:(?!\*/).)*\*/)"
EXPLAIN = re.compile(
    rf"{GAP}*EXPLAIN\b(?:{GAP}+(ANALYZE)\b|{GAP}*(\(\s*(?:ANALYZE|FORMAT)\b[\w\s,]*\)))?(.*)", re.I | re.S
)
PRAGMA = re.compile(
    rf"""{GAP}*PRAGMA\s+(?:(?P<tables>show_tables)|(?:table_info|show)\s*\(\s*(?P<quote>['"]?)(?P<view>\w+)(?P=quote)\s*\))
    {GAP}*""",
    re.I | re.S | re.X,
)
"""those that only ask what there is"""

IN_NO_TEXT = re.compile("[\ud800-\udfff]")
"""what Python makes of bytes that are no UTF-8"""

SIGN = duckdb.token_type.operator

FIRST_WORD = re.compile(rf"{GAP}*(\w+)", re.S)

INSTEAD = {
    "PRAGMA": "write SHOW TABLES, DESCRIBE faults or PRAGMA table_info('faults')",
    "CALL": "write SELECT * FROM and the function",
    "COPY": "write the SELECT alone, and let --output FILE or the key e write the file",
    "EXPORT": "dear-tui export writes a campaign to files",
    "CREATE": "write WITH name AS (SELECT ...) before your SELECT",
    "SET": "the limits are those of --memory and --timeout",
    "RESET": "the limits are those of --memory and --timeout",
    "PIVOT": "write its values: PIVOT faults ON bit IN (30, 31)",
    "EXPLAIN": "write EXPLAIN once, before a SELECT",
    "ATTACH": "write DuckDB's own program for that: duckdb, and there ATTACH the exported campaign.duckdb",
}
"""what to write in the place of a statement that is refused"""

MEMORY_LIMIT = "50%"
"""the campaign that may run at the same time needs some, too"""

BATCH = 2048

PAGE_ROWS = 100_000
PAGE_CELLS = 6_000_000
"""of a page, whatever its rows: a result of 300 columns is held in shorter pages"""


@dataclass(frozen=True)
class Result:
    """A running query: its columns, and its rows as they come; one cursor's, so read one result at a time."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """DuckDB type names"""
    _cursor: duckdb.DuckDBPyConnection
    _at_work: threading.Lock
    """held while DuckDB computes"""

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows.

        Raises:
            InputError: the query failed on the way, ran out of memory or time, or was interrupted.
        """
        while True:
            with self._at_work, reported():
                rows = self._cursor.fetchmany(BATCH)
            if not rows:
                return
            yield from rows


@dataclass(frozen=True)
class Page:
    """Some consecutive rows of a result."""

    rows: pa.Table
    first: int
    """0-based, of its first row in the whole result"""
    more: bool
    """whether rows come after it"""


@dataclass(frozen=True)
class Order:
    """What the rows of a result are sorted by; NULL comes last, and rows of equal values keep their order."""

    column: int
    """0-based"""
    is_descending: bool = False

    @property
    def direction(self) -> str:
        """As SQL writes it."""
        return f"{'DESC' if self.is_descending else 'ASC'} NULLS LAST"


@dataclass(frozen=True)
class Opened:
    """What a statement reads."""

    size: int
    """rows of a page"""
    pages: Iterator[tuple[pa.Table, bool]]
    """and whether rows come after each"""


class Statement:
    """One run of one checked query: read it in one thread, or several, interrupt it from another.

    Its rows are read once, in the order in which DuckDB gives them, and kept: without ORDER BY another run would give
    them in another order, and while a campaign runs it would give others.
    """

    def __init__(self, start: Callable[[duckdb.DuckDBPyConnection], Opened], cursor: duckdb.DuckDBPyConnection) -> None:
        """Make ready to run.

        Args:
            start: begins it; called once, in the thread that reads first.
            cursor: its own.
        """
        self._start = start
        self._cursor = cursor
        self._reading = threading.Lock()
        self._kept = KeptPages()
        self._unread: Iterator[tuple[pa.Table, bool]] | None = None
        self._size = 0
        """rows of a page, known once it runs"""
        self._rows = 0
        """read so far"""
        self._is_read = False
        """to its end"""
        self._failure: InputError | None = None
        """why it was not read to its end"""

    def close(self) -> None:
        """Drop the rows; a thread that still reads ends with an error."""
        self.interrupt()
        with self._reading:
            self._unread = None
            self._kept.close()
            self._cursor.close()

    def page(self, first: int = 0) -> Page:
        """The rows from `first` on, PAGE_ROWS at most; DuckDB computes what comes before them, and little more.

        Raises:
            InputError: the query fails, runs out of memory or time, or is interrupted; or so many rows are not kept.
        """
        while (index := first // self._size if self._size else 0) >= len(self._kept) or not self._size:
            if self._is_read or self._kept.is_full:
                raise InputError("SQL: the rows after these are not kept; ask for fewer, or export them all")
            self._read_on(wanted=index)
        found = self._kept.read(index)
        is_last = self._is_read and (index + 1) * self._size >= self._rows
        return Page(
            found, index * self._size, not is_last and not (self._kept.is_full and index + 1 == len(self._kept))
        )

    def count(self) -> int | None:
        """All rows of this run, which are read to the end; None where they are more than are kept.

        Raises:
            InputError: as for `page`.
        """
        while not self._is_read and not self._kept.is_full:
            self._read_on(wanted=None)
        return self._rows if self._is_read else None

    @property
    def rows_read(self) -> int:
        """How many there are at least."""
        return self._rows

    def sorted(self, order: Order) -> Statement:
        """The same rows in another order: the rows that are kept, so that nothing runs again.

        Raises:
            InputError: the result was not read to its end, or has more rows than are kept.
        """
        if not self._is_read or self._kept.is_full:
            raise InputError("SQL: not all rows are kept, so they are not sorted here; write ORDER BY into the query")
        return Statement(lambda cursor: _sorted(self._kept, self._size, order, cursor), self._cursor.cursor())

    def interrupt(self) -> None:
        """Stop what runs, from another thread; what has not begun yet is not stopped."""
        with suppress(duckdb.ConnectionException):  # it has ended
            self._cursor.interrupt()

    def _read_on(self, wanted: int | None) -> None:
        """Read one more page, unless another thread has meanwhile read the one that is wanted."""
        with self._reading:
            if self._is_read or (wanted is not None and self._size and wanted < len(self._kept)):
                return
            if self._failure is not None:
                raise self._failure
            try:
                with reported():
                    if self._unread is None:
                        opened = self._start(self._cursor)
                        self._size, self._unread = opened.size, opened.pages
                    rows, more = next(self._unread)
            except InputError as error:
                self._failure, self._unread = error, None
                raise
            self._kept.add(rows)
            self._rows += rows.num_rows
            self._is_read = not more


def _opened(sql: str, cursor: duckdb.DuckDBPyConnection) -> Opened:
    """Begin a checked query."""
    if EXPLAIN.match(sql):
        plan = _plan(sql, cursor)
        return Opened(max(plan.num_rows, 1), iter([(plan, False)]))
    with reported(lines_before=1):  # from_query would not say where in the query a name is wrong
        cursor.execute(f"EXPLAIN\n{sql}")
    rows = cursor.from_query(sql)
    size = min(PAGE_ROWS, max(PAGE_CELLS // len(rows.columns), 1))
    return Opened(size, pages(rows.to_arrow_reader(min(size + 1, BATCH)), size))


def _ordered(vetted: str, order: Order | None) -> str:
    """A checked query whose rows come in an order; a plan has none but its own."""
    if order is None or EXPLAIN.match(vetted):
        return vetted
    letters = vetted.encode()
    ends = [place for place, kind in duckdb.tokenize(vetted) if letters[place : place + 1] == b";" and kind == SIGN]
    bare = letters[: ends[0]].decode() if ends else vetted  # a comment may follow the semicolon
    return f"SELECT * FROM (\n{bare}\n) ORDER BY {order.column + 1} {order.direction}"


def _plan(sql: str, cursor: duckdb.DuckDBPyConnection) -> pa.Table:
    """A plan line by line: it is one value otherwise."""
    import pyarrow as pa

    texts = [row[-1] for row in cursor.execute(sql).fetchall()]
    return pa.table({"plan": [line for text in texts for line in text.splitlines()]})


def _sorted(kept: KeptPages, size: int, order: Order, cursor: duckdb.DuckDBPyConnection) -> Opened:
    """Begin to sort the rows of these pages, which are all rows of a result."""
    names = kept.read(0).column_names
    plain = [f"c{index}" for index in range(len(names))]  # two columns of a result may have one name
    rows = cursor.from_arrow(kept.reader(plain)).project("*, row_number() OVER () AS place")
    rows = rows.order(f"{plain[order.column]} {order.direction}, place").project(", ".join(plain))
    sorted_pages = pages(rows.to_arrow_reader(min(size + 1, BATCH)), size)
    return Opened(size, ((table.rename_columns(names), more) for table, more in sorted_pages))


class SqlSession:
    """The views of one store, for the queries of one user."""

    def __init__(
        self,
        store: Path,
        memory_limit: str = MEMORY_LIMIT,
        timeout_s: float | None = None,
        output: Path | None = None,
    ) -> None:
        """Open a session.

        Args:
            memory_limit: as DuckDB writes it, `2GB`, or a share of the machine's.
            timeout_s: seconds after which a query fails; absent: never.
            output: the one file that `write_parquet` may write.

        Raises:
            InputError: the memory limit is no size.
            UnreachableError: there is no store at this path, or it is a newer version's.
        """
        layout = Layout.of(store)
        layout.check_is_there()
        _check_version(layout)
        self._output = None if output is None else output.resolve()
        self._at_work = threading.Lock()
        self.memory_bytes = 0
        """what DuckDB may take; single values come on top"""
        self._connection = self._cursor = connect()
        # DuckDB compares what a view has written, which is the escaped path, and what it finds there
        settings = [f"allowed_directories = [{sql_text(layout.campaigns)}, {sql_path(layout.campaigns)}]"]
        if output is not None:
            settings.append(f"allowed_paths = [{sql_text(self._output)}]")
        if timeout_s is not None:
            settings.append(f"max_execution_time = {round(1000 * timeout_s)}")
        try:
            self._connection.execute(f"SET GLOBAL memory_limit = {sql_text(memory_limit)}")
            self.memory_bytes = self._memory_limit()
        except duckdb.Error:
            self._connection.close()
            raise InputError(f"memory limit {memory_limit}: write a size with its unit, such as 2GB") from None
        try:
            for setting in [*settings, "enable_external_access = false", "lock_configuration = true"]:
                self._connection.execute(f"SET GLOBAL {setting}")  # not of this cursor only
            create_views(self._connection, layout)
            self._state = CurrentState(self._connection, layout)
        except duckdb.Error as error:
            self._connection.close()
            raise UnreachableError(f"{store}: cannot be queried ({reason(error)}); check its files") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the session; a query that runs in it ends with an error."""
        self._cursor.close()
        self._connection.close()

    def _memory_limit(self) -> int:
        """Bytes; DuckDB takes `-1` for no limit, and reads what it then says of itself no more.

        Raises:
            duckdb.Error: so it is.
        """
        found = self._connection.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchone()
        return int(found[0]) if found else 0

    @property
    def is_at_work(self) -> bool:
        """Whether DuckDB computes, for `query`, its rows or `write_parquet`."""
        return self._at_work.locked()

    def query(self, sql: str, order: Order | None = None) -> Result:
        """Run one SELECT (or EXPLAIN of one) and stream its rows, in another order where one is given.

        Raises:
            InputError: it is not exactly one SELECT, or it fails.
        """
        with reported():  # an interrupt may come as early as this
            self._state.refresh()
        self._cursor = self._connection.cursor()
        vetted = _ordered(self._vetted(sql, self._cursor), order)
        with self._at_work, reported():
            description = self._cursor.execute(vetted).description or []
        names, types = (tuple(str(column[field]) for column in description) for field in (0, 1))
        return Result(names, types, self._cursor, self._at_work)

    def statement(self, sql: str) -> Statement:
        """Check one SELECT (or EXPLAIN of one), to be read in pages.

        Raises:
            InputError: it is not exactly one SELECT.
        """
        with reported():  # an interrupt may come as early as this
            self._state.refresh()
        cursor = self._connection.cursor()
        if self._parsed(sql)[0] != duckdb.StatementType.MULTI:
            vetted = self._vetted(sql, cursor)
            return Statement(lambda own: _opened(vetted, own), cursor)
        return Statement(lambda own: _opened(self._vetted(sql, own), own), cursor)

    def write_parquet(self, sql: str, limit: int | None = None, order: Order | None = None) -> None:
        """Run one SELECT into the session's output file, all of its rows or at most `limit`, as `query` does.

        Raises:
            InputError: it is not exactly one SELECT, or it fails, or the file cannot be written.
        """
        with reported():  # an interrupt may come as early as this
            self._state.refresh()
        self._cursor = self._connection.cursor()
        vetted = _ordered(self._vetted(sql, self._cursor), order)
        with self._at_work, reported():
            rows = self._cursor.from_query(vetted)
            rows = rows if limit is None else rows.limit(limit)
            rows.write_parquet(str(self._output), compression="zstd")

    def interrupt(self) -> None:
        """Stop the running query, from another thread; it fails within milliseconds, or after the value it is at."""
        with suppress(duckdb.ConnectionException):  # it has ended
            self._cursor.interrupt()

    def _vetted(self, sql: str, cursor: duckdb.DuckDBPyConnection) -> str:
        """The statement to run, which is what was checked and not what was typed.

        Args:
            sql: what was typed.
            cursor: looks up the values of a PIVOT that names none.
        """
        kind, text = self._parsed(sql)
        if kind == duckdb.StatementType.PRAGMA and (match := PRAGMA.fullmatch(text)):
            named = match["view"]
            shown = f"SELECT * FROM pragma_table_info({sql_text(named)})" if named else "SHOW TABLES"
            kind, text = self._parsed(shown)
        explain = ""
        explained = (duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI)
        if kind in explained and (match := EXPLAIN.fullmatch(text)):
            explain = f"EXPLAIN {match[1] or match[2] or ''} "
            kind, text = self._parsed(match[3])
        if kind == duckdb.StatementType.MULTI:
            kind, text = self._parsed(with_values(text, lambda values: self._texts(values, cursor)))
        if kind != duckdb.StatementType.SELECT:
            raise InputError(_not_allowed(kind, text))
        check_select(self._connection, text)
        return explain + text

    def _texts(self, sql: str, cursor: duckdb.DuckDBPyConnection) -> list[str]:
        """The values of a query of one column."""
        vetted = self._vetted(sql, cursor)
        with self._at_work, reported():
            return [str(row[0]) for row in cursor.execute(vetted).fetchall()]

    def _parsed(self, sql: str) -> tuple[duckdb.StatementType, str]:
        """The kind of the one statement, and its text."""
        if IN_NO_TEXT.search(sql):
            raise InputError("SQL: the query has bytes that are no UTF-8; write it in UTF-8")
        with reported():
            statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise InputError(f"SQL: give exactly one SELECT; here are {len(statements)} statements")
        try:
            kind = statements[0].type
        except ValueError:  # one that DuckDB's Python client has no name for, such as UPDATE EXTENSIONS
            kind = duckdb.StatementType.INVALID
        return kind, statements[0].query.rstrip().rstrip(";")


def _not_allowed(kind: duckdb.StatementType, text: str) -> str:
    """What is refused, by the word it begins with, and what to write instead."""
    first = FIRST_WORD.match(text)
    word = first[1].upper() if first else kind.name
    if kind == duckdb.StatementType.MULTI and word not in INSTEAD:  # a PIVOT somewhere in it
        word = "PIVOT"
    instead = INSTEAD.get(word, "the store is changed by campaigns alone")
    return f"SQL: only SELECT is allowed here, not {word}; {instead}"


def _check_version(layout: Layout) -> None:
    """Refuse a newer store; a lost or damaged state.sqlite keeps nobody from asking the campaigns."""
    try:
        StateFile(layout.state, read_only=True).close()
    except NewerStoreError:
        raise
    except UnreachableError:
        pass
