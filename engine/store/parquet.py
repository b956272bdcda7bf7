"""Writing arrays as Parquet and naming Parquet files in SQL."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import duckdb

from engine.store.files import begin, lack, publish
from engine.store.schema import COLUMNS, KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from engine.faults.fault_list import Texts

ROW_GROUP_SIZE = 262_144
"""Fewer rows take more time and room; of more, which save 6 % of the room, a query that wants few reads as many."""

ENCODINGS = {
    "fault_summary": {"fault_id": "DELTA_BINARY_PACKED"},
    "faults": {
        **dict.fromkeys(("fault_id", "weight_index"), "DELTA_BINARY_PACKED"),
        **dict.fromkeys(("golden_value", "faulty_value", "pattern_golden", "pattern_faulty"), "BYTE_STREAM_SPLIT"),
    },
}
"""Table -> column -> how it is encoded: every fault of a network takes a ninth of the room so, 1.2 bytes, and in each
block a third."""

_ARROW_TYPES = {
    "BIGINT": "int64",
    "BOOLEAN": "bool",
    "DOUBLE": "float64",
    "FLOAT": "float32",
    "INTEGER": "int32",
    "UINTEGER": "uint32",
    "USMALLINT": "uint16",
    "UTINYINT": "uint8",
    "VARCHAR": "string",
}
"""DuckDB's name of a type -> Arrow's"""


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


def stored(*paths: Path) -> str:
    """The rows of some of our own files, for FROM; no folder above them is taken for a column.

    Raises:
        FileNotFoundError: one is missing, or is something that DuckDB would wait for or not find.
    """
    for path in paths:
        if why := lack(path):
            raise FileNotFoundError(errno.ENOENT, why, str(path))
    return f"read_parquet([{', '.join(map(sql_path, paths))}], hive_partitioning = false)"


def stored_rows(table: str, *paths: Path) -> str:
    """The rows of some files of one table of `COLUMNS`, for FROM, whatever format they were written in.

    Raises:
        FileNotFoundError: one is missing, or is something that DuckDB would wait for or not find.
    """
    if not paths:
        return of_any_format(table, {})
    return of_any_format(table, {}, f"SELECT * FROM {stored(*paths)[:-1]}, union_by_name = true)")


def of_any_format(table: str, more: Mapping[str, str], *selects: str) -> str:
    """The rows of what may lack some of a table's columns, for FROM: these are NULL there, or as `KNOWN` has them.

    No rows that have all columns stand beside them; DuckDB takes these out of the plan.

    Args:
        table: one of `COLUMNS`.
        more: column that all have beside the table's -> its type.
        selects: where the rows are.
    """
    typed = ", ".join(f"NULL::{kind} AS {name}" for name, kind in {**more, **COLUMNS[table]}.items())
    found = " ".join(f"UNION ALL BY NAME {select}" for select in selects)
    columns = ", ".join([*more, known_columns(table)])
    return f"(SELECT {columns} FROM (SELECT {typed} WHERE false {found}))"


def known_columns(table: str) -> str:
    """The columns of a table for SELECT, with what is known of those that older files lack."""
    return ", ".join(f"coalesce({name}, {KNOWN[name]}) AS {name}" if name in KNOWN else name for name in COLUMNS[table])


def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of one table of `COLUMNS`."""
    import pyarrow as pa

    return pa.schema([(name, pa.type_for_alias(_ARROW_TYPES[kind])) for name, kind in COLUMNS[table].items()])


def texts(column: Texts) -> pa.Array:
    """A column [F] of texts, of which each different one is made once."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(column.code), pa.array(column.kinds, pa.string()))


def write_arrays(
    path: Path,
    table: str,
    arrays: Mapping[str, NDArray[Any] | pa.Array | pa.ChunkedArray],
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write one table to the unfinished file of `path`.

    Args:
        path: of the file when it is finished.
        table: its name in `COLUMNS`.
        arrays: column -> [rows], a masked element is NULL.
        metadata: kept in the Parquet footer.
    """
    return write_batches(path, table, [arrays], metadata)


def write_batches(
    path: Path,
    table: str,
    batches: Iterable[Mapping[str, NDArray[Any] | pa.Array | pa.ChunkedArray]],
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write a Parquet file from batches of rows: at least one batch, each but the last one of whole groups of rows.

    Numbers are written as they are, which zstd makes small, but in what is written once (`ENCODINGS`). Of a severity
    Parquet keeps four bytes, three of them 0: these are set apart. DuckDB's own writer, with a dictionary of
    severities, takes half as much time again.

    Args:
        path: of the file when it is finished.
        table: its name in `COLUMNS`.
        batches: column -> [rows]; a column has NULLs in the first batch, or in none.
        metadata: kept in the Parquet footer.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target, kinds = begin(path), COLUMNS[table]
    tables = (pa.table(dict(arrays), schema=arrow_schema(table)) for arrays in batches)
    first = next(tables)
    # columns that may be NULL take a quarter longer
    schema = pa.schema([field.with_nullable(first[field.name].null_count > 0) for field in first.schema])
    options = {
        "compression": "zstd",
        "data_page_version": "2.0",
        "max_rows_per_page": ROW_GROUP_SIZE,
        "write_batch_size": ROW_GROUP_SIZE,
        "use_dictionary": [name for name, kind in kinds.items() if kind == "VARCHAR"],
        "column_encoding": {
            **{name: "BYTE_STREAM_SPLIT" for name, kind in kinds.items() if kind == "UTINYINT"},
            **ENCODINGS.get(table, {}),
        },
        # of floats Arrow notes the extremes without the NaN, and DuckDB would pass over the group that holds one
        "write_statistics": [name for name, kind in kinds.items() if kind not in ("FLOAT", "DOUBLE")],
        "store_schema": False,
    }
    with pq.ParquetWriter(target, schema, **options) as writer:
        for rows in chain([first], tables):
            writer.write_table(pa.Table.from_arrays(rows.columns, schema=schema), ROW_GROUP_SIZE)
        writer.add_key_value_metadata({key: str(value) for key, value in (metadata or {}).items()})
    return target


def write_parquet(path: Path, table: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write one table of `COLUMNS` to `path`, durably; `arrays`: column -> [rows]."""
    write_parquet_batches(path, table, [arrays])


def write_parquet_batches(
    path: Path, table: str, batches: Iterable[Mapping[str, NDArray[Any] | pa.Array | pa.ChunkedArray]]
) -> None:
    """Write a Parquet file to `path`, durably, some rows at a time; `batches` of column -> [rows]."""
    write_batches(path, table, batches)
    publish(path)


def read_arrays(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, NDArray[Any]]:
    """The columns of a query, name -> [rows] in their order; a column with NULLs is a masked array."""
    columns: dict[str, NDArray[Any]] = connection.execute(query).fetchnumpy()
    return columns
