"""`dear-tui sql`: one question to the store."""

from __future__ import annotations

import csv
import json
import math
import sys
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from dear_tui.cli.options import StoreOption
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.store.sql import Result

TABLE_ROWS = 1000
"""a table is for eyes: more rows go to a file"""


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT, or - to read it from standard input.")],
    format: Annotated[
        Format | None, typer.Option("--format", help="[default: table on a terminal, else csv]", show_default=False)
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most so many rows.")] = None,
    store: StoreOption = None,
) -> None:
    """Ask the store in SQL, also while a campaign runs.

    Views: campaigns, faults, images, severity, critical, fault_summary, image_summary, curve.

    For example: dear-tui sql "select bit, count(*) from critical join faults using (campaign, fault_id) group by 1"
    """
    from engine.store import store_path
    from engine.store.sql import SqlSession

    chosen = format or (Format.TABLE if output is None and sys.stdout.isatty() else Format.CSV)
    text = sys.stdin.read() if query == "-" else query
    if chosen is Format.PARQUET and output is None:
        raise InputError("--format parquet needs a file: add --output FILE")
    with SqlSession(store_path(store), output=output if chosen is Format.PARQUET else None) as session:
        if chosen is Format.PARQUET:
            session.write_parquet(text if limit is None else f"SELECT * FROM ({text}) LIMIT {limit}")
            return
        result = session.query(text)
        with _opened(output) as file:
            WRITERS[chosen](result, result if limit is None else islice(result, limit), file)


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); give --output another file") from None


def _write_csv(result: Result, rows: Iterable[tuple[Any, ...]], file: IO[str]) -> None:
    writer = csv.writer(file)
    writer.writerow(result.columns)
    writer.writerows(rows)


def _write_json(result: Result, rows: Iterable[tuple[Any, ...]], file: IO[str]) -> None:
    separator = "[\n"
    for row in rows:
        values = dict(zip(result.columns, map(_json_value, row), strict=True))
        file.write(separator + json.dumps(values, default=str, ensure_ascii=False))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def _json_value(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _write_table(result: Result, rows: Iterable[tuple[Any, ...]], file: IO[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column, kind in zip(result.columns, result.types, strict=True):
        table.add_column(Text(column), justify="left" if kind in ("VARCHAR", "BOOLEAN") else "right")
    iterator = iter(rows)
    for row in islice(iterator, TABLE_ROWS):
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    Console(file=file, soft_wrap=True).print(table)
    if next(iterator, None) is not None:
        print(f"the first {TABLE_ROWS:,} rows; for all of them: --format csv --output FILE", file=sys.stderr)


WRITERS = {Format.CSV: _write_csv, Format.JSON: _write_json, Format.TABLE: _write_table}
