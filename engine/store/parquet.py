"""Writing arrays as Parquet and naming Parquet files in SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from engine.store.files import publish, unfinished
from engine.store.layout import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

ROW_GROUP_SIZE = 262_144
"""A group stays in the processor's cache until it is written: a quarter less time than for a million rows, and 8 % more
room."""

ENCODING = "PARQUET_VERSION V1, DICTIONARY_SIZE_LIMIT 16, COMPRESSION zstd, COMPRESSION_LEVEL 1"
"""Severities by dictionary, ids as they are, which zstd makes small: ids as differences (V2) take a sixth more time and
3 % less room, and all by dictionary more of both."""


def connect(**config: str | int) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that neither downloads extensions nor looks into Python's variables."""
    settings: dict[str, str | int | bool] = {
        "autoinstall_known_extensions": False,
        "python_enable_replacements": False,
        "temp_directory": "",
    }
    return duckdb.connect(config={**settings, **config})


@contextmanager
def interruptible() -> Iterator[None]:
    """Make of what DuckDB raises where ctrl+c stops a query what Python raises anywhere else."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


def sql_text(text: object) -> str:
    """A value as an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def sql_path(path: Path) -> str:
    """A path as an SQL literal in which nothing acts as a wildcard."""
    return sql_text(re.sub(r"([\[*?])", r"[\1]", str(path)))


def write_unfinished(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    rows: Mapping[str, NDArray[Any]] | pa.RecordBatchReader,
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write one table of `COLUMNS` to the unfinished file of `path`.

    Args:
        connection: which runs one statement.
        path: of the file when it is finished.
        table: its name in `COLUMNS`.
        rows: column -> [rows], a masked element is NULL; or the same in batches.
        metadata: kept in the Parquet footer.
    """
    target = unfinished(path)
    keys = ", ".join(f"{key}: {sql_text(value)}" for key, value in (metadata or {}).items())
    options = f"KV_METADATA {{{keys}}}, " if keys else ""
    columns = ", ".join(_column(name, kind) for name, kind in COLUMNS[table].items())
    connection.register("given", dict(rows) if isinstance(rows, Mapping) else rows)
    try:
        connection.execute(
            f"COPY (SELECT {columns} FROM given) TO {sql_text(target)} (FORMAT parquet, {ENCODING}, {options}"
            f"ROW_GROUP_SIZE {ROW_GROUP_SIZE}, USE_TMP_FILE false)"
        )
    finally:
        connection.unregister("given")
    return target


def write_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write one table of `COLUMNS` to `path`, durably."""
    write_unfinished(connection, path, table, arrays)
    publish(path)


def read_arrays(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, NDArray[Any]]:
    """The columns of a query, in the order of its rows; a column with NULLs is a masked array."""
    columns: dict[str, NDArray[Any]] = connection.execute(query).fetchnumpy()
    return columns


def _column(name: str, kind: str) -> str:
    # DuckDB reads a NaN in a numpy array as NULL; a faulty weight may well be NaN, and is never NULL
    return f"coalesce({name}, 'NaN')::{kind} AS {name}" if kind == "FLOAT" else f"{name}::{kind} AS {name}"
