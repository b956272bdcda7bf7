"""The one place of all columns: what the docs, the SQL screen and the present tables say of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.severity import COUNTS
from engine.store import Store
from engine.store.schema import COLUMNS, FORMAT, MIGRATIONS, VIEWS
from engine.store.sql.names import read_names
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import filled_store

DOCS = Path(__file__).parents[3] / "docs"


def test_every_view_is_in_the_docs_and_on_the_sql_screen(tmp_path: Path) -> None:
    text = (DOCS / "sql.md").read_text()
    assert [view for view in VIEWS if f"`{view}`" not in text] == []
    missing = {column for column in (*COLUMNS["faults"], *COLUMNS["critical"], *COUNTS) if column not in text}
    assert missing <= {"fault_id", "image_id"}
    filled_store(tmp_path)
    with SqlSession(tmp_path) as session:
        names = read_names(session)
    assert [view.name for view in names.views] == list(VIEWS)
    shown = {view.name: {column.name for column in view.columns} for view in names.views}
    assert all(set(columns) <= shown[table] for table, columns in COLUMNS.items())


def test_all_counts_stand_in_every_table_that_has_one() -> None:
    for table, columns in COLUMNS.items():
        assert [name for name in columns if name in COUNTS] in ([], list(COUNTS)), table


@pytest.mark.parametrize("version", range(1, FORMAT))
def test_what_an_older_state_sqlite_lacks_is_made_up_for_a_reader(tmp_path: Path, version: int) -> None:
    """Every query answers; the file is as it was; and what another process adds is seen."""
    Store.open(tmp_path).close()
    for file in tmp_path.glob("state.sqlite*"):
        file.unlink()
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        for migration in MIGRATIONS[:version]:
            connection.executescript(migration)
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = (tmp_path / "state.sqlite").read_bytes()
    reader = Store.open(tmp_path, read_only=True)
    assert (reader.campaigns(), reader.queue.waiting(), reader.queue_view().asked) == ([], [], {})
    assert (reader.state.receipts(1), reader.state.deaths(1), reader.state.worker()) == ([], 0, None)
    assert (tmp_path / "state.sqlite").read_bytes() == before
    writer = Store.open(tmp_path)
    writer.queue.note_stop(7)
    assert reader.campaigns() == []
    assert reader.queue.stops(7) == 1
