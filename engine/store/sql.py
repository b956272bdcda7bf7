"""Ad-hoc SQL over a store: one SELECT at a time, in an in-memory DuckDB that can only read the campaigns."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from engine.errors import InputError, NewerStoreError, UnreachableError
from engine.store.catalogue import create_views
from engine.store.layout import Layout
from engine.store.parquet import connect, sql_path, sql_text
from engine.store.sql_errors import VIEWS_THERE, reason, reported
from engine.store.state import StateFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Query nodes that read. The others (COPY_QUERY_NODE, INSERT_QUERY_NODE ...) can stand in a WITH and write files."""

TABLE_FUNCTIONS = {
    *("range", "generate_series", "repeat", "unnest", "json_each", "json_tree"),
    *("duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_types", "duckdb_views", "pragma_table_info"),
}
"""Those that may follow FROM. Others read files, run SQL given as text, write profiles and logs, or list secrets."""

EXPLAIN = re.compile(r"\s*(EXPLAIN\b(?:\s+ANALYZE\b|\s*\(\s*(?:ANALYZE|FORMAT)\b[\w\s,]*\))?)(.*)", re.I | re.S)

FILE_NAME = re.compile(r"[./\\]")
"""in the name of a table: DuckDB would read the file of that name"""

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


class Statement:
    """One checked query with a cursor of its own: read it in one thread, interrupt it from another."""

    def __init__(self, sql: str, cursor: duckdb.DuckDBPyConnection) -> None:
        self._sql = sql
        self._cursor = cursor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._cursor.close()

    def page(self, first: int = 0) -> Page:
        """The rows from `first` on, PAGE_ROWS at most; DuckDB computes no others.

        Raises:
            InputError: the query fails, runs out of memory or time, or is interrupted.
        """
        if EXPLAIN.match(self._sql):
            return Page(self._plan(), 0, more=False)
        with reported(lines_before=1):  # from_query would not say where in the query a name is wrong
            self._cursor.execute(f"EXPLAIN\n{self._sql}")
        with reported():
            rows = self._cursor.from_query(self._sql)
            size = min(PAGE_ROWS, max(PAGE_CELLS // len(rows.columns), 1))
            found = rows.limit(size + 1, first).to_arrow_table()
        return Page(found.slice(0, size), first, found.num_rows > size)

    def count(self) -> int:
        """All rows of the result, none of which is kept.

        Raises:
            InputError: as for `page`.
        """
        with reported():
            found = self._cursor.execute(f"SELECT count(*) FROM ({self._sql}\n)").fetchone()
        return int(found[0]) if found else 0

    def interrupt(self) -> None:
        """Stop what runs, from another thread; what has not begun yet is not stopped."""
        with suppress(duckdb.ConnectionException):  # it has ended
            self._cursor.interrupt()

    def _plan(self) -> pa.Table:
        """A plan line by line: it is one value otherwise."""
        import pyarrow as pa

        with reported():
            texts = [row[-1] for row in self._cursor.execute(self._sql).fetchall()]
        return pa.table({"plan": [line for text in texts for line in text.splitlines()]})


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
        self._connection = self._cursor = connect()
        # DuckDB compares what a view has written, which is the escaped path, and what it finds there
        settings = [f"allowed_directories = [{sql_text(layout.campaigns)}, {sql_path(layout.campaigns)}]"]
        if output is not None:
            settings.append(f"allowed_paths = [{sql_text(self._output)}]")
        if timeout_s is not None:
            settings.append(f"max_execution_time = {round(1000 * timeout_s)}")
        try:
            self._connection.execute(f"SET GLOBAL memory_limit = {sql_text(memory_limit)}")
        except duckdb.Error:
            raise InputError(f"memory limit {memory_limit}: write a size with its unit, such as 2GB") from None
        try:
            for setting in [*settings, "enable_external_access = false", "lock_configuration = true"]:
                self._connection.execute(f"SET GLOBAL {setting}")  # not of this cursor only
            create_views(self._connection, layout)
        except duckdb.Error as error:
            self._connection.close()
            raise UnreachableError(f"{store}: cannot be queried ({reason(error)}); check its files") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._cursor.close()
        self._connection.close()

    @property
    def memory_bytes(self) -> int:
        """What DuckDB may take; single values come on top."""
        found = self._connection.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchone()
        return int(found[0]) if found else 0

    @property
    def is_at_work(self) -> bool:
        """Whether DuckDB computes, for `query`, its rows or `write_parquet`."""
        return self._at_work.locked()

    def query(self, sql: str) -> Result:
        """Run one SELECT (or EXPLAIN of one) and stream its rows.

        Raises:
            InputError: it is not exactly one SELECT, or it fails.
        """
        vetted = self._vetted(sql)
        self._cursor = self._connection.cursor()
        with self._at_work, reported():
            description = self._cursor.execute(vetted).description or []
        names, types = (tuple(str(column[field]) for column in description) for field in (0, 1))
        return Result(names, types, self._cursor, self._at_work)

    def statement(self, sql: str) -> Statement:
        """Check one SELECT (or EXPLAIN of one), to be read in pages.

        Raises:
            InputError: it is not exactly one SELECT.
        """
        return Statement(self._vetted(sql), self._connection.cursor())

    def write_parquet(self, sql: str, limit: int | None = None) -> None:
        """Run one SELECT into the session's output file, all of its rows or at most `limit`.

        Raises:
            InputError: it is not exactly one SELECT, or it fails, or the file cannot be written.
        """
        vetted = self._vetted(sql)
        self._cursor = self._connection.cursor()
        with self._at_work, reported():
            rows = self._cursor.from_query(vetted)
            rows = rows if limit is None else rows.limit(limit)
            rows.write_parquet(str(self._output), compression="zstd")

    def interrupt(self) -> None:
        """Stop the running query, from another thread; it fails within milliseconds, or after the value it is at."""
        with suppress(duckdb.ConnectionException):  # it has ended
            self._cursor.interrupt()

    def _vetted(self, sql: str) -> str:
        """The statement to run, which is what was checked and not what was typed."""
        kind, text = self._single(sql)
        explain = ""
        if kind == duckdb.StatementType.EXPLAIN and (match := EXPLAIN.fullmatch(text)):
            explain = match[1] + " "
            kind, text = self._single(match[2])
        if kind != duckdb.StatementType.SELECT:
            raise InputError(
                f"SQL: only SELECT is allowed here, not {kind.name}; the store is changed by campaigns alone"
            )
        self._check_tree(text)
        return explain + text

    def _single(self, sql: str) -> tuple[duckdb.StatementType, str]:
        with reported():
            statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise InputError(f"SQL: give exactly one SELECT; here are {len(statements)} statements")
        try:
            kind = statements[0].type
        except ValueError:  # one that DuckDB's Python client has no name for, such as UPDATE EXTENSIONS
            kind = duckdb.StatementType.INVALID
        return kind, statements[0].query.rstrip().rstrip(";")

    def _check_tree(self, select: str) -> None:
        """Refuse what does more than read the views, at any depth."""
        with reported():
            tree = self._connection.execute("SELECT json_serialize_sql($1)", [select]).fetchone()
        parsed = json.loads(tree[0]) if tree else {"error": True}
        if parsed["error"]:
            raise InputError(f"SQL: {parsed.get('error_message', 'not a SELECT')}")
        for node in _nodes(parsed):
            kind = str(node.get("type"))
            if kind.endswith("_NODE") and kind not in READING_NODES:
                raise InputError(f"SQL: only SELECT is allowed here, not {kind.split('_')[0]} in a WITH; take it out")
            if kind == "TABLE_FUNCTION" and (name := str(node["function"]["function_name"])) not in TABLE_FUNCTIONS:
                raise InputError(f"SQL: FROM {name}() is not allowed here; {VIEWS_THERE}")
            if kind == "BASE_TABLE" and FILE_NAME.search(name := str(node["table_name"])):
                raise InputError(f"SQL: FROM '{name}' is not allowed here, files are not read; {VIEWS_THERE}")


def _check_version(layout: Layout) -> None:
    """Refuse a newer store; a lost or damaged state.sqlite keeps nobody from asking the campaigns."""
    try:
        StateFile(layout.state, read_only=True).close()
    except NewerStoreError:
        raise
    except UnreachableError:
        pass


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON tree."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for child in tree:
            yield from _nodes(child)
