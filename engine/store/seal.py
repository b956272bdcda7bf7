"""The sealed campaign: one DuckDB file with native tables, which needs nothing else of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.store.catalogue import attach, create_views
from engine.store.files import publish, sha256, unfinished
from engine.store.parquet import connect, sql_text
from engine.store.state import now
from engine.store.views import TABLES

if TYPE_CHECKING:
    from engine.store.layout import Layout


def write_sealed(layout: Layout, campaign: int) -> str:
    """Write campaign.duckdb from the committed parts.

    Returns:
        Its sha256.
    """
    path = layout.campaign(campaign).sealed
    target = unfinished(path)
    target.unlink(missing_ok=True)
    with connect() as connection:
        create_views(connection, layout)
        attach(connection, target, "sealed")
        for table in (*TABLES, "curve"):
            # sealed is finished: the file says so itself, before state.sqlite and campaign.json do
            columns = f"* REPLACE ('finished' AS state, {sql_text(now())}::TIMESTAMP AS finished)"
            selected = columns if table == "campaigns" else "*"
            connection.execute(
                f"CREATE TABLE sealed.{table} AS SELECT {selected} FROM memory.{table} WHERE campaign = {campaign}"
            )
        connection.execute("DETACH sealed")
    publish(path)
    return sha256(path)
