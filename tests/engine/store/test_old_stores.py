"""Stores of older formats and of the present one: looked at without a change, brought up to date, gone on with.

Stores of the formats 1 to 3, before there was a release, are known by their state.sqlite alone: see `test_schema.py`.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from engine.config.campaign_config import load_config
from engine.errors import NewerStoreError
from engine.faults.group import FaultGroup
from engine.running import preparation
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.severity import COUNTS
from engine.store import Store
from engine.store.export import OPTIONS, export_sealed, export_tables
from engine.store.schema import FORMAT, VIEWS
from engine.store.sql.sql import SqlSession
from tests.engine.store.raw_state import change_state, format_of
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from engine.running.progress import Progress
    from engine.steps import Step
    from engine.store import CampaignStatus

KEPT = sorted((Path(__file__).parent / "old_stores").glob("version_*/store.tar.xz"))
FINISHED, PAUSED, QUEUED, FAILED = 1, 2, 3, 4
PAIRS = FAULTS * IMAGES


@pytest.fixture(params=KEPT, ids=lambda kept: kept.parent.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store as an older version left it."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "store"


class Silent:
    """Who does not want to know how it goes."""

    def on_campaign(self, status: CampaignStatus) -> None: ...
    def on_step(self, step: Step) -> None: ...
    def on_progress(self, progress: Progress) -> None: ...
    def on_note(self, note: str) -> None: ...


def files(store: Path) -> dict[Path, str]:
    """File -> hash of its content; SQLite's index of a log that has nothing in it comes and goes."""
    paths = [path for path in store.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def check_listed(store: Store) -> None:
    """The four campaigns are there with all that is known of them."""
    shown = {status.id: status for status in store.campaigns()}
    assert {campaign: status.state for campaign, status in shown.items()} == {
        FINISHED: "finished", PAUSED: "paused", QUEUED: "queued", FAILED: "failed"
    }  # fmt: skip
    assert (shown[FINISHED].count(), shown[QUEUED].count()) == (PAIRS, 0)
    assert {shown[each].pairs_done for each in (PAUSED, FAILED)} == {484, 960}
    assert {(status.screened, status.dropped, status.goal) for status in shown.values()} == {(0, 0, "severities")}
    assert shown[FAILED].error == "the cat pulled the plug"
    assert store.queue.waiting() == [QUEUED]
    assert not store.worker().running
    assert store.queue_view().asked == {}
    for campaign, status in shown.items():
        assert store.description(campaign)["name"] == status.name == status.state
        assert sum(store.image_counts(campaign).count()) == status.count()
        assert sum(store.summary(campaign).count()) == status.count()
        assert sum(layer.pairs_done for layer in store.layers(campaign)) == status.pairs_done
        assert store.rates(campaign).pairs.sum() == status.pairs_done
        assert len(store.faults(campaign, FaultGroup(), "fault_id")) == FAULTS
        assert len(store.images(campaign, "rank")) == IMAGES
    assert len(store.curve(FINISHED).critical) == IMAGES
    assert store.table_one(FINISHED).critical_faults == len(store.critical_fault_ids(FINISHED))


def answers(store: Path) -> dict[str, list[dict[str, Any]]]:
    """View -> its rows, from the guarded session; the plain client says the same."""
    found = {}
    with SqlSession(store) as session:
        for view in VIEWS:
            result = session.query(f"SELECT * FROM {view} ORDER BY ALL")
            found[view] = [dict(zip(result.columns, row, strict=True)) for row in result]
    return found


def check_counts(rows: dict[str, list[dict[str, Any]]]) -> None:
    """In every table that counts pairs, the five counts add up to them."""
    pairs = {row["campaign"]: row["pairs_done"] for row in rows["campaigns"]}
    for view in ("campaigns", "parts", "fault_summary", "image_summary"):
        summed = dict.fromkeys(pairs, 0)
        for row in rows[view]:
            summed[row["campaign"]] += sum(row[name] for name in COUNTS)
        assert summed == pairs, view
    for row in rows["parts"]:
        area = (row["rank_stop"] - row["rank_start"]) * (row["fault_stop"] - row["fault_start"])
        assert sum(row[name] for name in COUNTS) == area


def check_unknown(rows: dict[str, list[dict[str, Any]]]) -> None:
    """What a campaign lacks that is older than every format is NULL; what is known of it all the same is there."""
    if not before_formats(rows):
        return
    names = ("pattern_golden", "pattern_faulty", "stratum", "weight")
    assert {row[name] for row in rows["faults"] for name in names} == {None}
    assert {row[name] for row in rows["critical"] for name in ("golden_in_top5", "softmax_lost")} == {None}
    assert {row[name] for row in rows["layers"] for name in ("kind", "method", "population")} == {None}
    assert sum(row["drawn"] for row in rows["layers"]) == len(rows["faults"])
    channels = [f"({row['out_channel']}, {row['in_channel']}" for row in rows["faults"]]
    assert all(row["tensor_index"].startswith(each) for row, each in zip(rows["faults"], channels, strict=True))
    assert {row[name] for row in rows["parts"] for name in ("seconds", "engine", "statistics")} == {None}
    assert {row["format"] for row in rows["campaigns"]} == {None}
    assert all(row["check_pairs"] > 0 and row["check_fallbacks"] == 0 for row in rows["campaigns"])
    assert [row["weights"] for row in rows["layers"]][:5] == [150, 2400, 48000, 10080, 840]
    assert len(rows["sites"]) == len(rows["faults"]) == 4 * FAULTS
    assert {row["mask"] for row in rows["sites"]} == {1 << bit for bit in (3, 22, 30)}


def before_formats(rows: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether these campaigns are from before a campaign.json named its format."""
    return {row["format"] for row in rows["campaigns"]} == {None}


def test_an_old_store_is_read_without_being_changed(old: Path) -> None:
    before = files(old)
    with closing(Store.open(old, read_only=True)) as store:
        check_listed(store)
    rows = answers(old)
    check_counts(rows)
    check_unknown(rows)
    assert rows["audit"] == []
    assert {row["first_screened"] for row in rows["fault_summary"]} == {None}
    assert {row["screened"] for row in rows["curve"]} == {0}
    assert files(old) == before


def test_an_old_store_is_brought_up_to_date(old: Path) -> None:
    before = answers(old)
    with closing(Store.open(old)) as store:
        assert format_of(store) == FORMAT
        check_listed(store)
        with store.lock():
            assert [store.verify(campaign, lambda _done, _parts: None) for campaign in (1, 2, 3, 4)] == [[]] * 4
        check_listed(store)
    after = answers(old)
    assert after == before
    with duckdb.connect(str(old / "dear.duckdb"), read_only=True) as client:
        for view in VIEWS:
            plain = client.sql(f"SELECT * FROM {view} ORDER BY ALL")
            assert [dict(zip(plain.columns, row, strict=True)) for row in plain.fetchall()] == after[view], view


def test_a_damaged_file_of_an_old_store_fails_its_own_view_alone(old: Path) -> None:
    """Without the footers of all files, columns that old campaigns lack are there too."""
    part = old / "campaigns/campaign=000002/severity/part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    for is_new in (False, True):
        if is_new:
            Store.open(old).close()
        with SqlSession(old) as session:
            ((formats,),) = session.query("SELECT count(format) FROM campaigns")
            weights = 4 * FAULTS if formats else 0
            assert list(session.query("SELECT count(*), count(weight) FROM faults")) == [(4 * FAULTS, weights)]
            assert list(session.query("SELECT sum(screened) FROM image_summary WHERE campaign = 2")) == [(0,)]
            assert list(session.query("SELECT count(*) FROM severity WHERE campaign = 1")) == [(PAIRS,)]


def test_an_old_store_is_exported(old: Path, tmp_path: Path) -> None:
    with closing(Store.open(old, read_only=True)) as store:
        export_sealed(store, FINISHED, tmp_path / "copy.duckdb")
        for name in OPTIONS:
            (tmp_path / name).mkdir()
            assert list(export_tables(store, PAUSED, name, tmp_path / name)) == list(VIEWS)
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as client:
        assert client.sql("SELECT count(*) FROM severity").fetchall() == [(PAIRS,)]


@pytest.fixture
def same_machine(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The paused campaign depends on no processor and no version of torch, so that any machine may go on with it."""
    written = json.loads((old / f"campaigns/campaign={PAUSED:06d}/campaign.json").read_text())["identity"]
    monkeypatch.setattr(preparation, "identify", lambda *_: written | {"engine": "another one"})


@pytest.mark.usefixtures("same_machine", "one_thread")
def test_a_paused_campaign_of_an_old_store_is_resumed(old: Path, tmp_path: Path) -> None:
    """Its parts of then stand beside those of now, in one campaign."""
    changes: dict[str, Any] = {"name": "paused", "faults": {"seed": 2}, "run": {"method": "fast"}}
    prepared = prepare(load_config(write_config(tmp_path, "paused.toml", **changes)))
    status = execute(prepared, old, Silent(), lambda: False)
    assert (status.id, status.state, status.count()) == (PAUSED, "finished", PAIRS)
    rows = answers(old)
    check_counts(rows)
    engines = [row["engine"] for row in rows["parts"] if row["campaign"] == PAUSED]
    assert len(set(engines[:3])) == 1
    assert set(engines[3:]) == {"another one"} != set(engines[:3])
    if before_formats(rows):
        assert engines[:3] == [None] * 3
        lost = [row["softmax_lost"] for row in rows["critical"] if row["campaign"] == PAUSED]
        assert 0 < sum(value is not None for value in lost) < len(lost)
    with closing(Store.open(old)) as store, store.lock():
        assert store.verify(PAUSED, lambda _done, _parts: None) == []
        with duckdb.connect(str(store.layout.campaign(PAUSED).sealed), read_only=True) as client:
            assert client.sql("SELECT count(*) FROM severity").fetchall() == [(PAIRS,)]
            assert {name for (name,) in client.sql("SHOW TABLES").fetchall()} == set(VIEWS)


def test_state_sqlite_of_an_old_store_is_rebuilt(old: Path) -> None:
    for file in old.glob("state.sqlite*"):
        file.unlink()
    with closing(Store.open(old)) as store:
        assert {status.id: status.count() for status in store.campaigns()} == {1: PAIRS, 2: 484, 3: 0, 4: 960}


def test_a_newer_store_is_refused_whichever_file_says_so(old: Path) -> None:
    with closing(Store.open(old)) as store:
        description = store.layout.campaign(QUEUED).description
        change_state(store, f"PRAGMA user_version = {FORMAT + 1}")
    for read_only in (False, True):
        with pytest.raises(NewerStoreError, match=r"state.sqlite: made by a newer version of dear-tui"):
            Store.open(old, read_only).campaigns()
    for file in old.glob("state.sqlite*"):
        file.unlink()
    description.write_text(json.dumps(json.loads(description.read_text()) | {"format": FORMAT + 1}))
    with pytest.raises(NewerStoreError, match=r"campaign.json: made by a newer version of dear-tui; update this one"):
        Store.open(old)
