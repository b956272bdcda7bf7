"""The catalogue: dear.duckdb, a file of views that any DuckDB client opens while a campaign is being written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from engine.store.files import make_private, make_private_folder, publish, unfinished
from engine.store.layout import COLUMNS, PART_TABLES
from engine.store.parquet import connect, sql_text, write_parquet
from engine.store.views import view_definitions

if TYPE_CHECKING:
    from engine.store.layout import Layout

STORAGE_VERSION = "v1.2.0"
"""What DuckDB clients before 2.0 can open."""


def write_zero_rows(layout: Layout) -> None:
    """Write campaign 0, whose files have no rows: a view over an empty glob cannot be created."""
    campaign = layout.campaign(0)
    make_private_folder(campaign.folder)
    for table, columns in COLUMNS.items():
        path = campaign.part(table, 0) if table in PART_TABLES else campaign.folder / f"{table}.parquet"
        make_private_folder(path.parent)
        if not path.exists():
            write_parquet(path, table, dict.fromkeys(columns, np.empty(0, object)))
    make_private(campaign.description)


def catalogue_key(layout: Layout) -> str:
    """Changes when the store has moved or the views have changed: then the catalogue is rewritten."""
    return hashlib.sha256(repr(view_definitions(layout)).encode()).hexdigest()


def write_catalogue(layout: Layout) -> None:
    """Replace dear.duckdb by rename: it is never opened for writing in place."""
    target = unfinished(layout.catalogue)
    target.unlink(missing_ok=True)
    with connect(threads=1) as connection:
        attach(connection, target, "catalogue")
        connection.execute("USE catalogue")
        create_views(connection, layout)
        connection.execute("USE memory")
        connection.execute("DETACH catalogue")
    publish(layout.catalogue, mode=0o444)


def attach(connection: duckdb.DuckDBPyConnection, path: object, name: str) -> None:
    """Attach a DuckDB file that older clients can open."""
    connection.execute(f"ATTACH {sql_text(path)} AS {name} (STORAGE_VERSION '{STORAGE_VERSION}')")


def create_views(connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Create all views; a damaged file fails the queries that read it, and none else."""
    try:
        _create(connection, view_definitions(layout))
    except duckdb.Error:
        _create(connection, view_definitions(layout, footers=""))


def _create(connection: duckdb.DuckDBPyConnection, definitions: dict[str, str]) -> None:
    for name, query in definitions.items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
