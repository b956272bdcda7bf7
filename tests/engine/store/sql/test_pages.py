"""Pages of a result that are kept: where there is no room for them, what is there is shown all the same."""

from __future__ import annotations

import tempfile
from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa

from engine.store.sql.pages import KeptPages
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import filled_store
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_without_a_folder_for_temporary_files_the_first_page_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where all disks are full, of which Python says that there is no such folder."""
    store, _, _ = filled_store(tmp_path / "store")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with SqlSession(store.layout.root) as session:
        with closing(session.statement("SELECT * FROM range(3)")) as statement:
            assert statement.page().rows.num_rows == statement.count() == 3
            assert statement.page().rows.num_rows == 3, "asked for again"
        with closing(session.statement("SELECT * FROM range(250_000)")) as statement:
            page = statement.page()
            assert (page.rows.num_rows, page.more, statement.count()) == (100_000, True, None)
            assert not statement.page().more, "no other one can be turned to"


def test_a_disk_that_gets_full_keeps_the_pages_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [pa.table({"n": [str(number * 7919 % 104_729) for number in range(start, start + 10_000)]})
             for start in range(0, 200_000, 10_000)]  # fmt: skip
    with small_disk(tmp_path / "disk", "512k") as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        kept = KeptPages()
        for page in pages:
            kept.add(page)
        assert kept.is_full
        assert 1 < len(kept) < len(pages)
        for index in range(len(kept)):
            assert kept.read(index) == pages[index]
        kept.close()
