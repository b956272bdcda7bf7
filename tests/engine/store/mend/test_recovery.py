"""What the store makes of killed writers, full disks, damaged parts and a lost state.sqlite."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from _pytest.mark import ParameterSet

from engine.errors import UnreachableError
from engine.store import Span, Store
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write
from tests.small_disk import small_disk

REPOSITORY = Path(__file__).parents[4]
SPANS = [Span(*span) for span in PLAN]

KILLED = """
import os, signal, sys
from fnmatch import fnmatch
from pathlib import Path
from tests.engine.store.stored_campaigns import PLAN, Truth, new_campaign, write
from engine.store import Store

store, truth = Store.open(Path(sys.argv[1])), Truth.of(new_campaign())
awaited, name = sys.argv[2:]

def dies(event, arguments):
    if event == awaited and fnmatch(str(arguments[0]), f"*/campaign=000001/{name}"):
        os.kill(os.getpid(), signal.SIGKILL)

with store.lock():
    writer = store.writer(1)
    write(writer, truth, PLAN[:2])
    sys.addaudithook(dies)
    write(writer, truth, PLAN)
    writer.seal()
"""

MOMENTS = [
    ("os.remove", "fault_summary/part-000002.parquet.tmp"),
    ("os.remove", "severity/part-000002.parquet.tmp"),
    ("os.chmod", "fault_summary/part-000002.parquet.tmp"),
    ("os.rename", "fault_summary/part-000002.parquet.tmp"),
    ("os.rename", "image_summary/part-000002.parquet.tmp"),
    ("os.rename", "severity/part-000002.parquet.tmp"),
    ("open", "severity"),
    ("os.rename", "severity/part-000003.parquet.tmp"),
    ("os.remove", "campaign.duckdb.tmp"),
    ("open", "severity/part-000000.parquet"),
    ("open", "severity/part-000001.parquet"),
    ("os.rename", "campaign.duckdb.tmp"),
    ("open", "campaign.duckdb"),
    ("os.rename", "campaign.json.tmp"),
]
"""What is about to be done to which file: begun, written, made known (its folder is opened to be synced after that),
and, when parts are read again, sealed."""


def complete(store: Store, campaign: int, truth: Truth) -> None:
    """Go on with a campaign, and check that it ends as if nothing had happened."""
    with store.lock():
        writer = store.writer(campaign)
        write(writer, truth, PLAN)
        writer.seal()
    assert store.campaign(campaign).state == "finished"
    assert store.campaign(campaign).pairs_done == 180
    for path in (store.layout.catalogue, store.layout.campaign(campaign).sealed):
        with duckdb.connect(str(path), read_only=True) as client:
            for view, rows in [
                ("severity", truth.severities()),
                ("critical", truth.criticals()),
                ("fault_summary", truth.fault_summaries()),
                ("image_summary", truth.image_summaries()),
            ]:
                assert client.sql(f"SELECT * EXCLUDE campaign FROM {view} ORDER BY ALL").fetchall() == rows
    assert not list(store.layout.root.rglob("*.tmp*"))


def check_whole_sets(store: Store, truth: Truth, parts: int) -> None:
    """Every view holds the same so many parts of the plan."""
    pairs = sum(span.pairs for span in SPANS[:parts])
    blocks = [truth.severity[span.fault_start : span.fault_stop, span.rank_start : span.rank_stop] for span in SPANS]
    critical = sum(int((block == 2).sum()) for block in blocks[:parts])
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        assert client.sql("SELECT count(*) FROM severity").fetchall() == [(pairs,)]
        assert client.sql("SELECT count(*) FROM critical").fetchall() == [(critical,)]
        for summary in ("fault_summary", "image_summary"):
            total = f"SELECT coalesce(sum(masked + non_critical + critical), 0), sum(critical) FROM {summary}"
            assert client.sql(total).fetchall() == [(pairs, critical)]


@pytest.mark.parametrize(("event", "file"), MOMENTS)
def test_a_writer_killed_at_any_moment_leaves_whole_parts(tmp_path: Path, event: str, file: str) -> None:
    store, campaign, truth = filled_store(tmp_path, [])
    paths = str(REPOSITORY)
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", KILLED, str(tmp_path), event, file]
    killed = subprocess.run(command, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    committed = len(store.layout.campaign(campaign).parts("severity"))
    assert committed >= 2
    check_whole_sets(store, truth, committed)
    assert len(store.curve(campaign).masked) in (2, 9, 15)
    complete(store, campaign, truth)


def test_a_part_without_its_receipt_gets_one(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    genuine = store.state.receipts(campaign)
    store.state.remove_receipt(campaign, 3)
    with store.lock():
        assert sorted(store.writer(campaign).done) == sorted(SPANS)
    rebuilt = store.state.receipts(campaign)
    assert rebuilt[:3] == genuine[:3]
    assert vars(rebuilt[3]) == vars(genuine[3]) | {"rebuilt": True}
    assert store.notes == [
        f"{store.layout.campaign(campaign).folder}: receipts of 1 parts were rebuilt; their content cannot be verified"
    ]
    complete(store, campaign, truth)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def in_turn(rows: Sequence[Any], columns: Sequence[Any]) -> list[ParameterSet]:
    """All pairs, each row and each column in at least one that is always tried; the others are slow."""
    return [
        pytest.param(row, column, marks=[pytest.mark.slow] * ((place + turn) % 3 > 0))
        for place, row in enumerate(rows)
        for turn, column in enumerate(columns)
    ]


TABLES = ["severity", "critical", "fault_summary", "image_summary"]


@pytest.mark.parametrize(("table", "damage"), in_turn(TABLES, [truncate, flip_a_bit, Path.unlink]))
def test_a_damaged_part_is_set_aside_and_run_again(tmp_path: Path, table: str, damage) -> None:
    store, campaign, truth = filled_store(tmp_path)
    damage(store.layout.campaign(campaign).part(table, 1))
    with store.lock():
        assert store.writer(campaign).done == [SPANS[0], SPANS[2], SPANS[3]]
    folder = store.layout.campaign(campaign).folder
    assert store.notes == [f"{folder}: part 1 damaged or incomplete, set aside as .bad; its pairs run again"]
    assert store.campaign(campaign).pairs_done == 180 - SPANS[1].pairs
    complete(store, campaign, truth)


def test_a_curve_follows_a_part_that_was_run_again(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    reader = Store.open(tmp_path, read_only=True)
    assert len(reader.curve(campaign).masked) == 15
    truncate(store.layout.campaign(campaign).part("severity", 3))
    other = replace(truth, severity=np.full_like(truth.severity, 2))
    with store.lock():
        write(store.writer(campaign), other, PLAN)
    assert reader.curve(campaign).critical[9:].tolist() == [12] * 6


def test_foreign_files_are_left_alone_and_not_read(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    folder = store.layout.campaign(campaign).folder
    part = folder / "severity" / "part-000000.parquet"
    foreign = [
        folder / "severity" / "part-000000 (copy).parquet",
        folder / "severity" / "notes.txt",
        folder / "severity" / "part-1.parquet",
        store.layout.campaigns / "campaign=000001.old" / "severity" / "part-000000.parquet",
        store.layout.campaigns / "backup" / "part-000000.parquet",
        tmp_path / "thesis.tex",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(part, path)
    (store.layout.campaigns / "campaign=000009").mkdir()
    check_whole_sets(store, truth, len(PLAN))
    complete(store, campaign, truth)
    assert all(path.exists() for path in foreign)
    with store.lock():
        assert store.create(new_campaign(fingerprint="next")) == 10


def test_a_copied_part_does_not_count_twice(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    layout = store.layout.campaign(campaign)
    for table in ("severity", "critical", "fault_summary", "image_summary"):
        shutil.copy(layout.part(table, 0), layout.part(table, 7))
    with store.lock():
        assert store.writer(campaign).done == SPANS
    check_whole_sets(store, truth, len(PLAN))


def test_whoever_looks_at_a_store_sees_the_loss_of_its_state_file_and_its_return(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path, PLAN[:3])
    reader = Store.open(tmp_path, read_only=True)
    assert [status.id for status in reader.campaigns()] == [campaign]
    store.close()
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    with pytest.raises(UnreachableError, match=r"state\.sqlite: missing"):
        reader.campaigns()
    store = Store.open(tmp_path)
    store.queue.request("cancel", campaign)
    assert reader.campaign(campaign).state == "cancelled"


def test_a_lost_state_file_is_not_rebuilt_under_the_process_that_is_at_work(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path, PLAN[:3])
    with store.lock():
        for path in tmp_path.glob("state.sqlite*"):
            path.unlink()
        said = (
            f"state.sqlite: missing; process {os.getpid()}, which is at work in this store, rebuilds it after the part"
        )
        for read_only in (True, False):
            with pytest.raises(UnreachableError, match=said):
                Store.open(tmp_path, read_only)
        assert not store.layout.state.exists()
    assert Store.open(tmp_path).campaign(campaign).pairs_done > 0


def test_a_lost_state_file_is_rebuilt_from_the_campaigns(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:3])
    with store.lock():
        store.set_state(campaign, "running")
        other = store.create(new_campaign(seed=3, fingerprint="other"))
        store.set_state(other, "failed", "no memory")
    before, receipts = store.campaigns(), store.state.receipts(campaign)
    store.close()
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    with pytest.raises(UnreachableError, match=r"state\.sqlite: missing; the next `dear-tui run` .* rebuilds it"):
        Store.open(tmp_path, read_only=True)
    store = Store.open(tmp_path)
    assert [vars(status) for status in store.campaigns()] == [
        vars(before[0]),
        vars(before[1]) | {"state": "paused", "rate": None, "eta_s": None},
    ]
    assert [vars(row) for row in store.state.receipts(campaign)] == [vars(row) | {"rebuilt": True} for row in receipts]
    assert store.notes == [
        f"{store.layout.campaign(campaign).folder}: receipts of 3 parts were rebuilt; their content cannot be verified",
        f"{store.layout.state}: it was lost and has been rebuilt from the campaigns",
    ]
    complete(store, campaign, truth)


def test_a_finished_campaign_survives_the_loss_of_the_state_file(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    complete(store, campaign, truth)
    before, sealed = store.campaigns(), store.state.sealed_sha256(campaign)
    store.close()
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    store = Store.open(tmp_path)
    assert store.campaigns() == before
    assert store.find("f00") == before[0]
    assert store.state.sealed_sha256(campaign) == sealed


def test_with_the_state_file_and_its_description_lost_a_campaign_is_named_and_left_alone(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    folder = store.layout.campaign(campaign).folder
    store.close()
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    truncate(folder / "campaign.json")
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    store = Store.open(tmp_path)
    assert store.campaigns() == []
    assert store.notes[0] == (
        f"{folder}: campaign.json is missing or damaged, and state.sqlite was lost, so the campaign cannot be listed; "
        "run its config again, which takes up its parts, or restore that file from a copy"
    )
    with store.lock():
        assert store.create(truth.new) == campaign + 1
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == before


def test_a_clock_that_was_set_back_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    years = iter(range(2026, 1969, -1))
    for module in ("state.state", "store", "write.seal"):
        monkeypatch.setattr(f"engine.store.{module}.now", lambda: f"{next(years)}-01-01T00:00:00Z")
    store, campaign, truth = filled_store(tmp_path, PLAN[:2])
    with store.lock():
        store.set_state(campaign, "running")
        later = store.create(new_campaign(seed=3, fingerprint="later"))
    complete(store, campaign, truth)
    status = store.campaign(campaign)
    assert status.started is not None
    assert status.finished is not None
    assert status.created > status.started > status.finished
    assert [status.id for status in store.campaigns()] == [later, campaign], "the newest is the one made last"
    with store.lock():
        assert store.verify(campaign, lambda _done, _parts: None) == []


@pytest.mark.parametrize("damage", [truncate, Path.unlink])
@pytest.mark.parametrize("table", ["severity", "critical"])
def test_without_receipts_a_part_that_is_not_whole_is_run_again(tmp_path: Path, table: str, damage) -> None:
    store, campaign, truth = filled_store(tmp_path)
    store.close()
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    damage(store.layout.campaign(campaign).part(table, 2))
    store = Store.open(tmp_path)
    assert store.campaign(campaign).pairs_done == 180 - SPANS[2].pairs
    complete(store, campaign, truth)


def test_without_receipts_a_part_of_another_campaign_is_not_taken(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:1])
    with store.lock():
        other = store.create(new_campaign(fingerprint="other"))
        for table in ("severity", "critical", "fault_summary", "image_summary"):
            shutil.copy(store.layout.campaign(campaign).part(table, 0), store.layout.campaign(other).part(table, 0))
        assert store.writer(other).done == []
    check_whole_sets(store, truth, 1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a store and little more."""
    with small_disk(tmp_path / "disk", "5m") as folder:
        yield folder


def fill(disk: Path, but_bytes: int = 0) -> Path:
    """Take all the room of a disk but so many bytes."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(b"\0" * max(0, free - but_bytes))
    return filler


@pytest.mark.parametrize("room", [0, 4096, 8192])
def test_a_full_disk_is_said_in_a_sentence_and_the_part_can_be_committed_later(disk: Path, room: int) -> None:
    store, campaign, truth = filled_store(disk / "store", PLAN[:2])
    with store.lock():
        writer = store.writer(campaign)
        writer.add(2, 5, truth.outcomes(2, 9, 5, 12))
        filler = fill(disk, room)
        with pytest.raises(UnreachableError, match="free some space") as full:
            writer.commit()
        assert "\n" not in str(full.value)
        check_whole_sets(store, truth, 2)
        assert not list(disk.rglob("*.tmp"))
        filler.unlink()
        assert writer.commit() is not None
        check_whole_sets(store, truth, 3)
    complete(store, campaign, truth)
    store.close()


def test_where_only_the_part_fits_its_receipt_takes_the_room_kept_back(disk: Path) -> None:
    store, campaign, truth = filled_store(disk / "store", PLAN[:2])
    with store.lock():
        writer = store.writer(campaign)
        writer.add(2, 5, truth.outcomes(2, 9, 5, 12))
        fill(disk, 16384)
        assert store.layout.reserve.exists()
        receipt = writer.commit()
        assert not store.layout.reserve.exists()
        assert store.state.receipts(campaign)[-1] == receipt
    store.close()


def test_a_full_disk_leaves_no_half_campaign_and_no_half_seal(disk: Path) -> None:
    store, campaign, truth = filled_store(disk / "store")
    filler = fill(disk)
    with store.lock():
        writer = store.writer(campaign)
        with pytest.raises(UnreachableError, match="free some space"):
            writer.seal()
        with pytest.raises(UnreachableError, match="free some space"):
            store.create(new_campaign(fingerprint="other"))
    assert not store.layout.campaign(campaign).sealed.exists()
    assert store.layout.campaign_ids() == [campaign]
    filler.unlink()
    complete(store, campaign, truth)
    store.close()
