"""The catalogue: dear.duckdb, a file of views that any DuckDB client opens while a campaign is being written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from engine.errors import UnreachableError
from engine.store.files import begin, lack, make_private_folder, publish, set_aside, sha256, write_text
from engine.store.layout import COLUMNS, PART_TABLES
from engine.store.parquet import connect, sql_text, write_parquet
from engine.store.sql.views import view_definitions

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store.layout import Layout

STORAGE_VERSION = "v1.2.0"
"""What DuckDB clients before 2.0 can open."""


def write_zero_rows(layout: Layout) -> None:
    """Write campaign 0, whose files have no rows: a view over an empty glob cannot be created."""
    for folder in layout.campaign(0).folders:
        if not folder.is_dir():
            set_aside(folder)
        make_private_folder(folder)
    for table, path in _zero_row_files(layout).items():
        if path.is_dir():
            set_aside(path)
        if table in COLUMNS:
            write_parquet(path, table, dict.fromkeys(COLUMNS[table], np.empty(0, object)))
        else:
            write_text(path, "")


def made_files_key(layout: Layout) -> str:
    """Changes when a file of campaign 0 or dear.duckdb is not the one that was written: then they are written again."""
    paths = [*_zero_row_files(layout).values(), layout.catalogue]
    found = {str(path): lack(path) or sha256(path) for path in paths}
    return hashlib.sha256(repr([COLUMNS, found]).encode()).hexdigest()


def _zero_row_files(layout: Layout) -> dict[str, Path]:
    """Table, or what else it is -> file of campaign 0."""
    campaign = layout.campaign(0)
    tables = {"faults": campaign.faults, "images": campaign.images}
    return {**tables, **{table: campaign.part(table, 0) for table in PART_TABLES}, "campaign": campaign.description}


def catalogue_key(layout: Layout) -> str:
    """Changes when the store has moved or the views have changed: then the catalogue is rewritten."""
    return hashlib.sha256(repr(view_definitions(layout)).encode()).hexdigest()


def write_catalogue(layout: Layout) -> None:
    """Replace dear.duckdb by rename: it is never opened for writing in place."""
    target = begin(layout.catalogue)
    with connect(threads=1) as connection:
        attach(connection, target, "catalogue")
        connection.execute("USE catalogue")
        create_views(connection, layout)
        connection.execute("USE memory")
        connection.execute("DETACH catalogue")
    if layout.catalogue.is_dir():
        set_aside(layout.catalogue)
    publish(layout.catalogue, mode=0o444)


def attach(connection: duckdb.DuckDBPyConnection, path: object, name: str) -> None:
    """Attach a DuckDB file that older clients can open."""
    connection.execute(f"ATTACH {sql_text(path)} AS {name} (STORAGE_VERSION '{STORAGE_VERSION}')")


def create_views(connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Create all views; a damaged file fails the queries that read it, and none else.

    Raises:
        UnreachableError: a file of campaign 0 is damaged.
    """
    try:
        _create(connection, view_definitions(layout))
    except duckdb.Error:
        try:
            _create(connection, view_definitions(layout, footers=""))
        except duckdb.Error as error:
            reason = " ".join(str(error).split("\n\n")[0].split())
            raise UnreachableError(
                f"{layout.root}: cannot be queried ({reason}); `dear-tui verify` mends the store's own files"
            ) from None


def _create(connection: duckdb.DuckDBPyConnection, definitions: dict[str, str]) -> None:
    for name, query in definitions.items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
