"""Which paths a store may have: names that SQL or DuckDB could take for something else, links, and what is refused."""

import os
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from engine.errors import UnreachableError
from engine.store import Store, store_path
from engine.store.sql.sql import SqlSession
from tests.engine.store.mend.test_recovery import SPANS, complete
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

NAMES = [
    *("campaign=7", "severity=2", "fault_id=x", "severity/part-000001.parquet/severity/part-"),
    *("a*b", "[ab]", "a]b", "it's", 'say "a"', "100%41", "{1,2}", "two\nlines", "a#b;c,d", " lead", "~x", "ü", "\x01"),
    "/".join(["long" * 20] * 4),
]


@pytest.mark.parametrize("name", NAMES)
def test_no_folder_above_the_store_changes_what_is_read(tmp_path: Path, name: str) -> None:
    """DuckDB takes a folder `a=b` for a column unless it is told not to, and some characters for wildcards."""
    store, campaign, truth = filled_store(tmp_path / name / "store", PLAN[:3])
    complete(store, campaign, truth)
    assert store.curve(campaign).critical[-1] == truth.curve(15)[-1][2]
    assert store.image_counts(campaign).complete.all()
    assert sum(layer.pairs_done for layer in store.layers(campaign)) == sum(span.pairs for span in SPANS)
    with store.lock():
        assert store.verify(campaign, lambda _done, _parts: None) == []
    with SqlSession(tmp_path / name / "store") as session:
        found = session.query("SELECT campaign, state, faults, pairs_done FROM campaigns")
        assert list(found) == [(1, "finished", 12, 180)]


def test_one_campaign_is_read_from_its_own_files_only(tmp_path: Path) -> None:
    store, _, _ = filled_store(tmp_path)
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        plan = client.sql("EXPLAIN ANALYZE SELECT sum(severity) FROM severity WHERE campaign = 2").fetchall()
    assert "Scanning Files: 0/5" in str(plan)


REFUSED = {
    "a?b": "its path has a ?, which DuckDB cannot read",
    "a\\b": "its path has a \\, which DuckDB cannot read",
    "n" * 256: "File name too long",
    "/".join(["n" * 200] * 3): "its path has [0-9]+ bytes, and may have 480",
    "/".join(["n" * 200] * 30): "File name too long",
    os.fsdecode(b"caf\xe9"): "its path is not UTF-8",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("read_only", [False, True])
def test_what_cannot_be_a_store_is_refused_before_anything_is_made(tmp_path: Path, name: str, read_only: bool) -> None:
    path = tmp_path / "new" / name
    with pytest.raises(UnreachableError) as refused:
        Store.open(path, read_only)
    assert re.search(REFUSED[name] if "bytes" in REFUSED[name] else re.escape(REFUSED[name]), str(refused.value))
    assert str(refused.value).isprintable()
    assert str(refused.value).endswith("; choose another with --store")
    with pytest.raises(UnreachableError) as said:
        store_path(path)
    assert str(said.value) == str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_itself_and_an_unknown_home_are_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", Path("~nobody-of-this-name/store")):
        with pytest.raises(UnreachableError, match="cannot be the store"):
            Store.open(path)


def test_a_store_behind_a_link_is_the_same_store(tmp_path: Path) -> None:
    """The catalogue holds absolute paths, and two programs would write it by turns."""
    filled_store(tmp_path / "store")
    (tmp_path / "link").symlink_to(tmp_path / "store")
    before = (tmp_path / "store" / "dear.duckdb").stat().st_ino
    for path in (tmp_path / "link", tmp_path / "store", tmp_path / "link"):
        with Store.open(path).lock():
            assert (tmp_path / "store" / "dear.duckdb").stat().st_ino == before
    with SqlSession(tmp_path / "link") as session:
        assert len(list(session.query("FROM campaigns"))) == 1


def test_of_a_store_that_was_made_anew_nothing_of_the_old_one_is_shown(tmp_path: Path) -> None:
    filled_store(tmp_path / "store")
    reader = Store.open(tmp_path / "store", read_only=True)
    for read in (reader.curve, reader.image_counts, reader.layers):
        read(1)
    shutil.rmtree(tmp_path / "store")
    other = Truth.of(new_campaign(faults=9, images=30, workload=6, seed=8, fingerprint="other"))
    store = Store.open(tmp_path / "store")
    with store.lock():
        write(store.writer(store.create(other.new)), other, [(0, 6, 0, 9)])
    assert reader.image_counts(1).image_id.tolist() == other.new.workload.tolist()
    assert reader.curve(1).metric.tolist() == other.new.metrics["el2n"][other.new.workload].tolist()
    assert sum(layer.faults for layer in reader.layers(1)) == 9
    assert reader.read("SELECT count(*) AS n FROM severity")["n"].tolist() == [54]
