"""The sealed campaign: one DuckDB file with native tables, which needs nothing else of the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import duckdb
import numpy as np

from engine.severity import SEVERITIES
from engine.store.files import publish, remove, sha256, unfinished
from engine.store.parquet import connect, sql_text, stored, stored_rows
from engine.store.read.curve import CurveReader
from engine.store.read.pairs import NOT_RUN, checked_severity, read_severity
from engine.store.schema import VIEWS
from engine.store.sql.catalogue import attach, create_views
from engine.store.sql.macros import create_macros
from engine.store.sql.views import FAULT_SUMMARY
from engine.store.state.state import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any, Self

    from numpy.typing import NDArray

    from engine.store.layout import Layout
    from engine.store.records import Receipt
    from engine.store.state.state import CampaignRow
    from engine.store.write.part_tables import Fixed

INSERT_ROWS = 8_000_000
"""inserted at once, in 0.1 GB: more is smaller on disk, fewer is no faster"""

MOST_TURNED = 64_000_000
"""pairs that are turned at once, in three times as many bytes"""

FAULTS_AT_ONCE = 1_000_000
"""whose parts DuckDB adds up at once, in half a gigabyte"""

SEVERITY_COLUMNS = ", ".join(
    f"{name} {kind} USING COMPRESSION {method}"
    for name, kind, method in (
        ("campaign", "UINTEGER", "rle"),
        ("fault_id", "UINTEGER", "bitpacking"),
        ("image_id", "UINTEGER", "rle"),
        ("severity", "UTINYINT", "bitpacking"),
    )
)
"""The methods that DuckDB chooses by itself, after trying all of them on every row: a sixth of the seal's work."""

Item = TypeVar("Item")


class Seal:
    """Writes a campaign's campaign.duckdb."""

    def __init__(self, layout: Layout, row: CampaignRow, fixed: Fixed) -> None:
        """For a campaign all of whose pairs are committed; `row` is what state.sqlite keeps of it."""
        self._layout = layout
        self._row = row
        self._campaign = layout.campaign(row.id)
        self._fixed = fixed
        self._reader = connect(threads=1)
        self._connection = connect(preserve_insertion_order=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._connection.close()

    def interrupt(self) -> None:
        """From another thread: have the statements that DuckDB is at fail, if there are any."""
        with suppress(duckdb.ConnectionException):  # closed meanwhile
            self._reader.interrupt()
            self._connection.interrupt()

    def write(self, receipts: list[Receipt]) -> str:
        """Write the file from the committed parts.

        Returns:
            The sha256 of the file.

        Raises:
            ValueError: a part is not the one of its receipt.
        """
        path = self._campaign.sealed
        remove_half_sealed(path)
        create_views(self._connection, self._layout)
        attach(self._connection, unfinished(path), "sealed")
        create_macros(self._connection, "sealed")
        for table in VIEWS:
            self._create(table, receipts)
        if 2 * sum(receipt.count_run() for receipt in receipts) < sum(receipt.span.pairs for receipt in receipts):
            self._copy_severities(receipts)
        else:
            for pairs in one_ahead(self._pairs(receipts)):
                self._insert("severity", "fault_id, image_id, severity", pairs)
        self._connection.execute("DETACH sealed")
        publish(path)
        return sha256(path)

    def _create(self, table: str, receipts: list[Receipt]) -> None:
        """A table with its rows; without, in the case of severities."""
        query = f"SELECT * FROM memory.{table} WHERE campaign = {self._row.id}"
        if table == "severity":
            self._connection.execute(f"CREATE TABLE sealed.severity ({SEVERITY_COLUMNS})")
            return
        if table == "campaigns":
            # sealed is finished: the file says so itself, before state.sqlite and campaign.json do
            finished = f"* REPLACE ('finished' AS state, {sql_text(now())}::TIMESTAMP AS finished)"
            query = query.replace("*", finished, 1)
        is_large = table in ("fault_summary", "curve")  # DuckDB takes 500 bytes for each fault whose parts it adds up
        self._connection.execute(f"CREATE TABLE sealed.{table} AS {query}{' AND false' if is_large else ''}")
        if table == "curve":
            columns = "rank, image_id, metric, masked, non_critical, critical, screened"
            self._insert("curve", columns, self._curve(receipts))
        elif table == "fault_summary":
            self._add_up_faults(receipts)

    def _add_up_faults(self, receipts: list[Receipt]) -> None:
        """The parts of each fault, of some faults at a time."""
        parts = (self._campaign.part("fault_summary", receipt.part) for receipt in receipts)
        rows = f"SELECT {self._row.id}::UINTEGER AS campaign, * FROM {stored_rows('fault_summary', *parts)}"
        for first in range(0, int(self._fixed.fault_id.max(initial=0)) + 1, FAULTS_AT_ONCE):
            some = f"({rows} WHERE fault_id BETWEEN {first} AND {first + FAULTS_AT_ONCE - 1})"
            self._connection.execute(f"INSERT INTO sealed.fault_summary {FAULT_SUMMARY.format(source=some)}")

    def _insert(self, table: str, columns: str, rows: dict[str, NDArray[Any]]) -> None:
        self._connection.register("rows", rows)
        self._connection.execute(f"INSERT INTO sealed.{table} SELECT {self._row.id}, {columns} FROM rows")
        self._connection.unregister("rows")

    def _curve(self, receipts: list[Receipt]) -> dict[str, NDArray[Any]]:
        """The columns of the curve, over all ranks."""
        curve = CurveReader(self._campaign, self._row, self._reader).read(receipts, self._reader)
        counts = {name: getattr(curve, name) for name in ("metric", *SEVERITIES, "screened")}
        return {"rank": np.arange(curve.images), "image_id": self._fixed.image_id, **counts}

    def _copy_severities(self, receipts: list[Receipt]) -> None:
        """Part by part, image by image: half as large as in the order of the part, which is fault by fault."""
        for receipt in receipts:
            rows = stored(checked_severity(self._campaign, receipt))
            self._connection.execute(
                f"INSERT INTO sealed.severity SELECT {self._row.id}, fault_id, image_id, severity FROM {rows} "
                "ORDER BY image_id, fault_id"
            )

    def _pairs(self, receipts: list[Receipt]) -> Iterator[dict[str, NDArray[Any]]]:
        """The columns of all pairs that were run, block by block, image by image, and then by fault.

        Native columns compress four times better so than fault by fault, and turning a block here takes half as long as
        sorting it in DuckDB. A block of very many faults is turned in pieces.
        """
        is_whole = all(receipt.count_run() == receipt.span.pairs for receipt in receipts)
        for piece in _pieces(sorted(receipts, key=lambda receipt: receipt.span)):
            span = replace(piece[0].span, fault_stop=piece[-1].span.fault_stop)
            of_piece = self._fixed.fault_id[span.fault_start : span.fault_stop]
            faults = np.argsort(of_piece)
            step = max(1, INSERT_ROWS // len(faults))
            fault_id = np.tile(of_piece[faults], step)
            severity = self._read_piece(piece)[faults].T.copy()
            image_id = self._fixed.image_id[span.rank_start : span.rank_stop]
            images = np.argsort(image_id)
            for some in (images[start : start + step] for start in range(0, len(images), step)):
                pairs: dict[str, NDArray[Any]] = {
                    "fault_id": fault_id[: len(some) * len(faults)],
                    "image_id": np.repeat(image_id[some], len(faults)),
                    "severity": severity[some].ravel(),
                }
                if not is_whole:
                    run = pairs["severity"] != NOT_RUN
                    pairs = {name: column[run] for name, column in pairs.items()}
                yield pairs

    def _read_piece(self, receipts: Iterable[Receipt]) -> NDArray[np.uint8]:
        """[F, I] in execution order and rank order."""
        return np.concatenate([read_severity(self._reader, self._campaign, receipt) for receipt in receipts])


def _pieces(receipts: list[Receipt]) -> Iterator[list[Receipt]]:
    """Parts of one block that follow each other, together of about `MOST_TURNED` pairs at most.

    Args:
        receipts: by block, and then by fault.
    """
    piece: list[Receipt] = []
    for receipt in receipts:
        pairs = sum(each.span.pairs for each in piece)
        if piece and (piece[0].span.ranks != receipt.span.ranks or pairs + receipt.span.pairs > MOST_TURNED):
            yield piece
            piece = []
        piece.append(receipt)
    yield piece


def remove_half_sealed(path: Path) -> None:
    """Delete what sealing left that did not come to its end, DuckDB's own log with it: that takes the most room."""
    target = unfinished(path)
    for left in (target, target.with_name(f"{target.name}.wal")):
        remove(left)


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield items, each made in another thread while the one before is in use."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item
