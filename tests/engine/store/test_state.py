"""state.sqlite: migrations, transactions, and writing where there is hardly any room."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from stored_campaigns import filled_store

from engine.store import Store
from engine.store.state import MIGRATIONS, StateFile


def old_store(path: Path) -> Store:
    """A store with a campaign, its state.sqlite as the first version made it."""
    store, *_ = filled_store(path)
    store.close()
    tables = ("meta", "campaigns", "receipts")
    with sqlite3.connect(path / "state.sqlite") as connection:
        kept = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection.close()
    for file in path.glob("state.sqlite*"):
        file.unlink()
    with sqlite3.connect(path / "state.sqlite") as connection:
        connection.executescript(MIGRATIONS[0])
        for table, rows in kept.items():
            width = len(connection.execute(f"SELECT * FROM {table}").description)
            connection.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", [row[:width] for row in rows]
            )
        connection.execute("INSERT INTO progress VALUES (1, 170, 12.5, 0.8, '2026-01-01T00:00:00Z', 1)")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    return store


def test_a_store_of_the_first_version_is_read_as_it_is(tmp_path: Path) -> None:
    old_store(tmp_path)
    reader = Store.open(tmp_path, read_only=True)
    assert [(status.name, status.state, status.pairs_done) for status in reader.campaigns()] == [
        ("small", "queued", 180)
    ]
    assert reader.queue.waiting() == []
    assert not reader.worker().running


def test_a_store_of_the_first_version_is_migrated_with_all_it_holds(tmp_path: Path) -> None:
    receipts = len(list(old_store(tmp_path).layout.campaign(1).parts("severity")))
    store = Store.open(tmp_path)
    assert store.state.rows("PRAGMA user_version")[0][0] == len(MIGRATIONS)
    assert store.queue.waiting() == [1]
    assert len(store.state.receipts(1)) == receipts
    with store.lock("worker"):
        assert store.queue.take() == 1


def test_a_transaction_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    state, other = StateFile(tmp_path / "state.sqlite"), StateFile(tmp_path / "state.sqlite")
    with state.transaction():
        state.set_setting("a", "1")
        assert other.setting("a") is None
    assert other.setting("a") == "1"
    with suppress(KeyboardInterrupt), state.transaction():
        state.set_setting("a", "2")
        raise KeyboardInterrupt
    assert (state.setting("a"), other.setting("a")) == ("1", "1")
    other.set_setting("a", "3")
