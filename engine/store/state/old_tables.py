"""Reading a state.sqlite of an older format that may not be written: what it lacks stands beside it, in memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from engine.store.schema import FORMAT, MIGRATIONS


def shadow_old_tables(connection: sqlite3.Connection, version: int) -> None:
    """Let queries for the present tables be answered from the tables of an older format.

    SQLite looks for a name among the temporary tables first. Each table that lacks columns is hidden by a temporary
    view, in which these have their defaults. Each table that is missing is there as a temporary one without rows.

    Args:
        connection: to the older file; only its temporary database is written.
        version: of the file; of the present one nothing is hidden.
    """
    connection.execute("PRAGMA temp_store = MEMORY")
    for kind, name in connection.execute("SELECT type, name FROM sqlite_temp_master").fetchall():
        connection.execute(f"DROP {kind} temp.{name}")
    if version == FORMAT:
        return
    with closing(sqlite3.connect(":memory:")) as present:
        for migration in MIGRATIONS:
            present.executescript(migration)
        for (table,) in present.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            wanted, found = _columns(present, table), _columns(connection, table)
            missing = {name: default for name, default in wanted.items() if name not in found}
            if not found:
                names = ", ".join(f'"{name}"' for name in wanted)
                connection.execute(f"CREATE TEMP TABLE {table} ({names})")
            elif missing:
                made_up = ", ".join(f'{default} AS "{name}"' for name, default in missing.items())
                connection.execute(f"CREATE TEMP VIEW {table} AS SELECT *, {made_up} FROM main.{table}")


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Column -> its default as SQL; none where there is no such table."""
    rows = connection.execute(f"SELECT name, coalesce(dflt_value, 'NULL') FROM pragma_table_info('{table}')")
    return dict(tuple(row) for row in rows)
