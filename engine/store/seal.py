"""The sealed campaign: one DuckDB file with native tables, which needs nothing else of the store."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from engine.store.catalogue import attach, create_views
from engine.store.files import publish, sha256, unfinished
from engine.store.parquet import connect, sql_path, sql_text
from engine.store.state import now
from engine.store.views import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from engine.store.layout import Layout
    from engine.store.records import Receipt


def write_sealed(layout: Layout, campaign: int, receipts: list[Receipt]) -> str:
    """Write campaign.duckdb from the committed parts.

    Returns:
        Its sha256.
    """
    path = layout.campaign(campaign).sealed
    target = unfinished(path)
    remove_half_sealed(path)
    with connect() as connection:
        create_views(connection, layout)
        attach(connection, target, "sealed")
        for table in (*TABLES, "curve"):
            columns = "*"
            if table == "campaigns":
                # sealed is finished: the file says so itself, before state.sqlite and campaign.json do
                columns = f"* REPLACE ('finished' AS state, {sql_text(now())}::TIMESTAMP AS finished)"
            query = f"SELECT {columns} FROM memory.{table} WHERE campaign = {campaign}"
            rows = "LIMIT 0" if table == "severity" else ""
            connection.execute(f"CREATE TABLE sealed.{table} AS {query} {rows}")
        _insert_severities(connection, layout, campaign, receipts)
        connection.execute("DETACH sealed")
    publish(path)
    return sha256(path)


def remove_half_sealed(path: Path) -> None:
    """Delete what sealing left that did not come to its end, DuckDB's own log with it: that takes the most room."""
    target = unfinished(path)
    for left in (target, target.with_name(f"{target.name}.wal")):
        left.unlink(missing_ok=True)


def _insert_severities(
    connection: duckdb.DuckDBPyConnection, layout: Layout, campaign: int, receipts: list[Receipt]
) -> None:
    """Copy the parts block by block, by image: native columns compress four times better so than by fault."""
    by_block = sorted(receipts, key=lambda receipt: receipt.span)
    for _, block in groupby(by_block, key=lambda receipt: (receipt.span.rank_start, receipt.span.rank_stop)):
        files = ", ".join(sql_path(layout.campaign(campaign).part("severity", receipt.part)) for receipt in block)
        connection.execute(
            f"INSERT INTO sealed.severity SELECT {campaign}, fault_id, image_id, severity FROM read_parquet([{files}]) "
            "ORDER BY image_id, fault_id"
        )
