"""`dear-tui sql`: one question to the store."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer

from dear_tui.cli.options import StoreOption
from dear_tui.cli.printing.say import PrintableFile, Working, tell
from dear_tui.query.files import plain_value, write_csv, write_json
from dear_tui.query.memory import bounded_memory
from dear_tui.query.output import check_output, replaced_file
from dear_tui.terminal.signals import at_each_signal
from engine.errors import InputError
from engine.paths import exists, is_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.analysis.result_table import Table
    from engine.store.sql.sql import Result, SqlSession

TABLE_ROWS = 1000
"""a table is for eyes: more rows go to a file"""

NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)")
"""DuckDB's types whose values stand at the right of a column"""

WIDEST_VALUE = 200
"""letters of a value in a table, which would else be as wide as its longest one; a terminal cuts them before"""

MOST_ROWS = 2**63 - 1
"""that DuckDB can count"""
MOST_SECONDS = 10**9
"""thirty years, which DuckDB can count in milliseconds"""
HEED_SECONDS = 2.0
"""within which DuckDB has stopped, unless it is at a single value that may take it hours"""


class AnswerFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    VERTICAL = "vertical"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT, or - to read it from standard input.")],
    format: Annotated[
        AnswerFormat | None,
        typer.Option(
            "--format",
            help="[default: table on a terminal, vertical where that is too narrow, else csv]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, max=MOST_ROWS, help="At most so many rows.")] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0.001, max=MOST_SECONDS, help="Give up after so many seconds.")
    ] = None,
    memory: Annotated[
        str,
        typer.Option(
            "--memory", help="Give up rather than take more: 2GB, or a share of what the machine has.", metavar="SIZE"
        ),
    ] = "50%",
    store: StoreOption = None,
) -> None:
    """Ask the store in SQL, also while a campaign runs.

    It can change nothing, reads no files but the store's, and ctrl+c cancels it.

    Views: campaigns, faults, images, severity, critical, fault_summary, image_summary, accuracy_cost, layers, sites,
    parts, audit, curve; DESCRIBE faults lists the columns of one. Ranks, ids, channels and bits count from 0.

    Functions beside DuckDB's: wilson_low(k, n) and wilson_high(k, n), the 99 % interval of a share; severity_name(s).

    For example: dear-tui sql "select bit, count(*) from critical join faults using (campaign, fault_id) group by 1"
    """
    from engine.store import store_path
    from engine.store.sql.sql import SqlSession

    chosen = format or (None if output is None and sys.stdout.isatty() else AnswerFormat.CSV)
    text = _read_query() if query == "-" else query
    if chosen is AnswerFormat.PARQUET and output is None:
        raise InputError("--format parquet needs a file: add --output FILE")
    where = store_path(store)
    with (
        _written(output, where) as path,
        Working("asking the store; ctrl+c cancels it") as working,
        SqlSession(where, memory, timeout, path) as session,
        bounded_memory(session.memory_bytes),
        stopped_from_outside(session, timeout, working, half_written=path if path != output else None),
    ):
        if chosen is AnswerFormat.PARQUET:
            session.write_parquet(text, limit)
            return
        result = session.query(text)
        rows = iter(result if limit is None else islice(result, limit))
        if path is None:
            rows = chain(list(islice(rows, 1)), rows)
            working.stop()
        with _opened(path) as file:
            (_write_fitting if chosen is None else WRITERS[chosen])(result, rows, file)


def _read_query() -> str:
    """From standard input.

    Raises:
        InputError: it is no text.
    """
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise InputError("QUERY: standard input is no UTF-8; write the query in UTF-8") from None


@contextmanager
def _written(output: Path | None, store: Path) -> Iterator[Path | None]:
    """Where to write; a device or pipe is written to as it is."""
    if output is None or (exists(output) and not is_file(output)):
        yield output
        return
    check_output(output, store)
    with replaced_file(output) as written:
        yield written


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield cast("TextIO", PrintableFile(sys.stdout)) if sys.stdout.isatty() else sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); give --output another file") from None


def _write_table(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    texts, has_more = _first_rows(result, rows)
    _print_as_table(result, texts, file)
    _tell_of_more(has_more)


def _write_vertical(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    from dear_tui.cli.printing.vertical import print_vertical

    texts, has_more = _first_rows(result, rows)
    print_vertical(result.columns, texts, file)
    _tell_of_more(has_more)


def _write_fitting(result: Result, rows: Iterable[tuple[Any, ...]], file: TextIO) -> None:
    """As a table where all its columns fit into the terminal, else a column a line."""
    from dear_tui.cli.printing.terminal_table import as_printed, fitting
    from dear_tui.cli.printing.vertical import print_vertical

    texts, has_more = _first_rows(result, rows)
    places = fitting(as_printed(_table(result, texts)), shutil.get_terminal_size().columns)
    if len(places) == len(result.columns):
        _print_as_table(result, texts, file)
    else:
        print_vertical(result.columns, texts, file)
    _tell_of_more(has_more)


def _first_rows(result: Result, rows: Iterable[tuple[Any, ...]]) -> tuple[list[tuple[str, ...]], bool]:
    """As many as are for eyes, as texts, and whether there are more."""
    iterator = iter(rows)
    shown = islice(iterator, TABLE_ROWS)
    texts = [tuple(_text(value, kind) for value, kind in zip(row, result.types, strict=True)) for row in shown]
    return texts, next(iterator, None) is not None


def _tell_of_more(has_more: bool) -> None:
    if has_more:
        tell(f"the first {TABLE_ROWS:,} rows; for all of them: --format csv --output FILE")


def _print_as_table(result: Result, texts: list[tuple[str, ...]], file: TextIO) -> None:
    from dear_tui.cli.printing.terminal_table import print_table

    short = [tuple(map(_cut, row)) for row in texts]
    if hidden := print_table(_table(result, short), file):
        names = ", ".join(column.name for column in hidden[:3]) + (", ..." if len(hidden) > 3 else "")
        tell(f"too narrow for {len(hidden)} more columns: {names}; use --format vertical or csv, or name fewer")
    if short != texts and not file.isatty():
        tell(f"values are cut after {WIDEST_VALUE} letters; for whole ones: --format vertical or csv")


def _table(result: Result, texts: list[tuple[str, ...]]) -> Table:
    from engine.analysis.result_table import Column, Kind, Table

    kinds = [Kind.ID if NUMBER.fullmatch(kind) else Kind.TEXT for kind in result.types]
    columns = tuple(Column(name, kind, heading=name) for name, kind in zip(result.columns, kinds, strict=True))
    return Table("", columns, tuple(texts))


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 3]}..."


def _text(value: Any, kind: str) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if kind == "FLOAT" else str(plain_value(value))


WRITERS = {
    AnswerFormat.CSV: write_csv,
    AnswerFormat.JSON: write_json,
    AnswerFormat.TABLE: _write_table,
    AnswerFormat.VERTICAL: _write_vertical,
}


@contextmanager
def stopped_from_outside(
    session: SqlSession, timeout_s: float | None, working: Working, half_written: Path | None
) -> Iterator[None]:
    """Have ctrl+c stop the query; where DuckDB heeds neither that nor its time limit, end the process.

    Args:
        timeout_s: the session's limit.
        working: says that it works.
        half_written: the file to remove before.
    """
    has_ended = threading.Event()

    def leave_if_not_heeded(seconds: float, code: int, sentence: str = "") -> None:
        if not has_ended.wait(seconds + HEED_SECONDS) and session.is_at_work:
            working.stop()
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
