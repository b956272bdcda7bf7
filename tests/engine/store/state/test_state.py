"""state.sqlite: migrations, transactions, and writing where there is hardly any room."""

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engine.errors import UnreachableError
from engine.store import Store
from engine.store.schema import FORMAT, MIGRATIONS
from engine.store.state.state import StateFile
from tests.engine.store.other_process import python
from tests.engine.store.raw_state import format_of
from tests.engine.store.stored_campaigns import filled_store

CUT_SHORT = """
import os, sys
from pathlib import Path
from engine.store import Store
from engine.store.state import state
before, *after = state.MIGRATIONS
state.MIGRATIONS = (before, f"{after[0]} SELECT cut_short();", *after[1:])
connect = state.StateFile._connect

def connected(self, *arguments, **options):
    connection = connect(self, *arguments, **options)
    connection.create_function("cut_short", 0, lambda: os._exit(9))
    return connection

state.StateFile._connect = connected
Store.open(Path(sys.argv[1]))
"""

TABLES = ("meta", "campaigns", "receipts")


def old_store(path: Path, version: int) -> Store:
    """A store with a campaign, its state.sqlite as an earlier version made it."""
    store, *_ = filled_store(path)
    store.queue.request("resume", 1)
    store.close()
    with sqlite3.connect(path / "state.sqlite") as connection:
        kept = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    connection.close()
    for file in path.glob("state.sqlite*"):
        file.unlink()
    with sqlite3.connect(path / "state.sqlite") as connection:
        for migration in MIGRATIONS[:version]:
            connection.executescript(migration)
        for table, rows in kept.items():
            width = len(connection.execute(f"SELECT * FROM {table}").description)
            connection.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", [row[:width] for row in rows]
            )
        if version == 1:
            connection.execute("INSERT INTO progress VALUES (1, 170, 12.5, 0.8, '2026-01-01T00:00:00Z', 1)")
        else:
            connection.execute("INSERT INTO progress VALUES (1, 170, 12.5, 0.8)")
            connection.execute("INSERT INTO commands (action, target) VALUES ('pause', 1)")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return store


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables that every version has."""
    columns = {
        "campaigns": "id, fingerprint, name, faults, images, state, created",
        "progress": "campaign, pairs_done",
        "receipts": "campaign, part, rank_start, rank_stop, fault_start, fault_stop, masked, non_critical, critical, "
        "fault_summary_sha256, image_summary_sha256, critical_sha256, severity_sha256, seconds, rebuilt",
    }
    with sqlite3.connect(path / "state.sqlite") as connection:
        found = {
            table: connection.execute(f"SELECT {columns.get(table, '*')} FROM {table} ORDER BY 1, 2").fetchall()
            if table != "meta"
            else connection.execute("SELECT * FROM meta WHERE key <> 'catalogue' ORDER BY key").fetchall()
            for table in (*TABLES, "progress")
        }
    connection.close()
    return found


def test_a_store_of_the_first_version_is_read_as_it_is(tmp_path: Path) -> None:
    old_store(tmp_path, 1)
    reader = Store.open(tmp_path, read_only=True)
    assert [(status.name, status.state, status.pairs_done) for status in reader.campaigns()] == [
        ("small", "queued", 180)
    ]
    assert reader.queue.waiting() == []
    assert not reader.worker().running


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_store_of_every_earlier_version_is_migrated_with_all_it_holds(tmp_path: Path, version: int) -> None:
    receipts = len(list(old_store(tmp_path, version).layout.campaign(1).parts("severity")))
    before = contents(tmp_path)
    store = Store.open(tmp_path)
    assert format_of(store) == FORMAT
    assert contents(tmp_path) == before
    assert store.queue.waiting() == ([] if version == 1 else [1])
    assert len(store.state.receipts(1)) == receipts
    assert store.queue.order(1) == (None if version == 1 else "pause")
    with store.lock("worker"):
        assert store.queue.take() == (None if version == 1 else 1)
    if version == 1:  # which had no queue: nobody asked for this campaign to be run
        assert store.campaign(1).state == "paused"
        assert store.campaign(1).error == "its process ended before it was queued or run; `dear-tui resume 1` queues it"


def test_a_migration_that_is_cut_short_is_done_again(tmp_path: Path) -> None:
    old_store(tmp_path, 1)
    with python(CUT_SHORT, tmp_path) as process:
        assert process.wait() == 9
    store = Store.open(tmp_path)
    assert format_of(store) == FORMAT
    assert (store.campaign(1).state, store.campaign(1).pairs_done) == ("queued", 180)


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


def test_ctrl_c_is_heeded_while_another_process_writes(tmp_path: Path) -> None:
    def on_alarm(*_: object) -> None:
        raise KeyboardInterrupt

    with closing(StateFile(tmp_path / "state.sqlite")) as state, closing(sqlite3.connect(state.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        before, began = signal.signal(signal.SIGALRM, on_alarm), time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            with pytest.raises(KeyboardInterrupt):
                state.set_setting("a", "1")
        finally:
            signal.signal(signal.SIGALRM, before)
        assert time.monotonic() - began < 20


def in_transaction(state: StateFile) -> None:
    with state.transaction():
        state.set_setting("a", "1")


@pytest.mark.parametrize("write", [lambda state: state.set_setting("a", "1"), in_transaction])
def test_what_another_process_does_not_end_is_waited_for_and_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[StateFile], None]
) -> None:
    monkeypatch.setattr("engine.store.state.state.PATIENCE_SECONDS", 0.2)
    with closing(StateFile(tmp_path / "state.sqlite")) as state, closing(sqlite3.connect(state.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnreachableError, match="database is locked"):
            write(state)
        other.rollback()
        write(state)
        assert state.setting("a") == "1"
