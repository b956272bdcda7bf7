"""The catalogue: dear.duckdb, a file of views that any DuckDB client opens while a campaign is being written."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from engine.errors import UnreachableError
from engine.store.description import has_older_files
from engine.store.files import begin, lack, make_private_folder, publish, set_aside, sha256, write_text
from engine.store.parquet import sql_text, write_parquet
from engine.store.schema import AUDIT, COLUMNS, PART_TABLES
from engine.store.sql.macros import MACROS, create_macros
from engine.store.sql.views import Found, table_glob, view_definitions

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store.layout import Layout

OPTIONAL = ("sites", AUDIT)
"""The tables that a store made before there were such has no file of."""

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
    tables = {"faults": campaign.faults, "images": campaign.images, "sites": campaign.sites}
    parts = {table: campaign.part(table, 0) for table in (*PART_TABLES, AUDIT)}
    return {**tables, **parts, "campaign": campaign.description}


def catalogue_key(layout: Layout) -> str:
    """Changes when the store has moved or the views or macros have changed: then the catalogue is rewritten."""
    definitions = view_definitions(layout, has_older=has_older_files(layout)), MACROS
    return hashlib.sha256(repr(definitions).encode()).hexdigest()


def write_catalogue(connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Replace dear.duckdb by rename: it is never opened for writing in place."""
    attach(connection, begin(layout.catalogue), "catalogue")
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
    """Create all views and macros; a damaged file fails the queries that read it, and none else.

    Raises:
        UnreachableError: a file of campaign 0 is damaged.
    """
    create_macros(connection)
    try:
        _create(connection, view_definitions(layout, has_older=has_older_files(layout)))
    except duckdb.Error:
        found = {table: _look_for(connection, layout, table) for table in COLUMNS}
        try:
            _create(connection, view_definitions(layout, found))
        except duckdb.Error as error:
            reason = " ".join(str(error).split("\n\n")[0].split())
            raise UnreachableError(
                f"{layout.root}: cannot be queried ({reason}); `dear-tui verify` fixes the store's own files"
            ) from None


def _look_for(connection: duckdb.DuckDBPyConnection, layout: Layout, table: str) -> Found:
    """What files of a table there are, and of which campaigns all can be opened."""
    pattern = f"{table}/part-*.parquet" if table in (*PART_TABLES, AUDIT) else f"{table}.parquet"
    if table in OPTIONAL and not any(layout.campaigns.glob(f"campaign=*/{pattern}")):
        return Found(none=True)
    with suppress(duckdb.Error):
        _open(connection, table_glob(layout, table))
        return Found()
    whole = []
    for campaign in layout.campaign_ids():
        with suppress(duckdb.Error):  # there is none, or one cannot be opened
            _open(connection, table_glob(layout, table, campaign))
            whole.append(campaign)
    return Found(whole=tuple(whole))


def _open(connection: duckdb.DuckDBPyConnection, files: str) -> None:
    """Read the footer of each file."""
    connection.execute(f"SELECT * FROM read_parquet({files}, union_by_name = true) LIMIT 0")


def _create(connection: duckdb.DuckDBPyConnection, definitions: dict[str, str]) -> None:
    for name, query in definitions.items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
