"""state.sqlite changed behind the store's back."""

import sqlite3
from contextlib import closing

from engine.store import Store


def change_state(store: Store, statement: str) -> None:
    """Run one statement on a store's state.sqlite, in a connection of its own."""
    with closing(sqlite3.connect(store.layout.state)) as connection, connection:
        connection.execute(statement)


def count_rows(store: Store, table: str) -> int:
    """Rows of one table of state.sqlite."""
    with closing(sqlite3.connect(store.layout.state)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def format_of(store: Store) -> int:
    """The format number in state.sqlite."""
    with closing(sqlite3.connect(store.layout.state)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
