"""The sealed campaign: one DuckDB file with native tables, which needs nothing else of the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

import duckdb
import numpy as np

from engine.store.files import publish, remove, sha256, unfinished
from engine.store.parquet import connect, sql_text
from engine.store.read.pairs import NOT_RUN, read_severity
from engine.store.schema import VIEWS
from engine.store.sql.catalogue import attach, create_views
from engine.store.state.state import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any, Self

    from numpy.typing import NDArray

    from engine.store.layout import Layout
    from engine.store.records import Receipt
    from engine.store.write.part_tables import Fixed

INSERT_ROWS = 8_000_000
"""inserted at once, in 0.1 GB: more is smaller on disk, fewer is no faster"""

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

    def __init__(self, layout: Layout, campaign: int, fixed: Fixed) -> None:
        """Of a campaign all of whose pairs are committed."""
        self._layout = layout
        self._campaign = campaign
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
            Its sha256.

        Raises:
            ValueError: a part is not the one of its receipt.
        """
        path = self._layout.campaign(self._campaign).sealed
        remove_half_sealed(path)
        create_views(self._connection, self._layout)
        attach(self._connection, unfinished(path), "sealed")
        for table in VIEWS:
            self._create(table)
        for pairs in one_ahead(self._pairs(receipts)):
            self._connection.register("pairs", pairs)
            self._connection.execute(
                f"INSERT INTO sealed.severity SELECT {self._campaign}, fault_id, image_id, severity FROM pairs"
            )
            self._connection.unregister("pairs")
        self._connection.execute("DETACH sealed")
        publish(path)
        return sha256(path)

    def _create(self, table: str) -> None:
        """A table with its rows; without, in the case of severities."""
        if table == "severity":
            self._connection.execute(f"CREATE TABLE sealed.severity ({SEVERITY_COLUMNS})")
            return
        columns = "*"
        if table == "campaigns":
            # sealed is finished: the file says so itself, before state.sqlite and campaign.json do
            columns = f"* REPLACE ('finished' AS state, {sql_text(now())}::TIMESTAMP AS finished)"
        query = f"SELECT {columns} FROM memory.{table} WHERE campaign = {self._campaign}"
        self._connection.execute(f"CREATE TABLE sealed.{table} AS {query}")

    def _pairs(self, receipts: list[Receipt]) -> Iterator[dict[str, NDArray[Any]]]:
        """The columns of all pairs that were run, block by block, image by image, and then by fault.

        Native columns compress four times better so than fault by fault, and turning a block here takes half as long as
        sorting it in DuckDB.
        """
        campaign = self._layout.campaign(self._campaign)
        faults = np.argsort(self._fixed.fault_id)
        step = max(1, INSERT_ROWS // len(faults))
        fault_id = np.tile(self._fixed.fault_id[faults], step)
        is_whole = all(receipt.count_run() == receipt.span.pairs for receipt in receipts)
        by_span = sorted(receipts, key=lambda receipt: receipt.span)
        for (rank_start, rank_stop), block in groupby(by_span, key=lambda receipt: receipt.span.ranks):
            # [F, I] in execution order and rank order, and then by image and fault; no other copy outlives this
            severity = np.concatenate([read_severity(self._reader, campaign, one) for one in block])[faults].T.copy()
            image_id = self._fixed.image_id[rank_start:rank_stop]
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


def remove_half_sealed(path: Path) -> None:
    """Delete what sealing left that did not come to its end, DuckDB's own log with it: that takes the most room."""
    target = unfinished(path)
    for left in (target, target.with_name(f"{target.name}.wal")):
        remove(left)


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in another thread while the one before is in use."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item
