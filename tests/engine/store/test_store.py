"""Opening, locking and listing a store."""

import json
import os
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

from engine.errors import InputError, UnreachableError
from engine.severity import COUNTS
from engine.store import Span, Store, store_path
from engine.store.sql.sql import SqlSession
from tests.engine.store.other_process import python
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

if TYPE_CHECKING:
    from engine.store.records import State


def test_a_new_store_is_empty(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "deep" / "store")
    assert store.campaigns() == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    before = (tmp_path / "dear.duckdb").stat().st_mtime_ns
    Store.open(tmp_path).close()
    assert (tmp_path / "dear.duckdb").stat().st_mtime_ns == before


def test_a_missing_store_reads_as_empty_until_it_is_made(tmp_path: Path) -> None:
    reader = Store.open(tmp_path / "store", read_only=True)
    assert reader.campaigns() == []
    assert reader.find("f00") is None
    assert list(tmp_path.iterdir()) == []
    filled_store(tmp_path / "store")
    assert [status.name for status in reader.campaigns()] == ["small"]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_is_no_store(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(UnreachableError, match=r"file: cannot be the store, it is a file; choose a folder"):
        Store.open(path, read_only)
    assert path.read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_no_store() -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which other users cannot even enter
        path = Path(folder)
        path.chmod(0o555)
        reader, writer = os.pipe()
        child = os.fork()  # root becomes another user, who may not be allowed to start this Python
        if child == 0:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            try:
                Store.open(path / "store")
            except UnreachableError as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader) as message:
            expected = f"{path}/store: cannot be the store (Permission denied); choose another with --store"
            assert message.read() == expected
        assert list(path.iterdir()) == []
        path.chmod(0o700)


def test_a_path_that_duckdb_cannot_write_to_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"what\?: cannot be the store \(.*\); choose another with --store$"):
        Store.open(tmp_path / "what?")


def test_processes_that_open_a_new_store_at_once_agree(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from engine.store import Store; Store.open(Path(sys.argv[1]))"
    processes = [python(code, tmp_path / "store") for _ in range(4)]
    assert [(*process.communicate(), process.returncode) for process in processes] == [("", "", 0)] * 4


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one " * 100, b"short"])
def test_a_foreign_state_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.sqlite").write_bytes(content)
    with pytest.raises(UnreachableError, match=r"state\.sqlite: cannot be used \(file is not a database\)"):
        Store.open(tmp_path)


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(UnreachableError, match="newer version of dear-tui; update"):
            Store.open(tmp_path, read_only).campaigns()
    with pytest.raises(UnreachableError, match="newer version of dear-tui; update"):
        SqlSession(tmp_path)


def test_the_store_path_is_the_one_given_else_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEAR_STORE", "~/dear")
    assert store_path(Path("here")) == Path("here")
    assert store_path() == Path.home() / "dear"
    monkeypatch.delenv("DEAR_STORE")
    assert store_path().name == "dear-tui"


def test_a_new_campaign_is_listed_and_found(tmp_path: Path) -> None:
    store, new = Store.open(tmp_path), new_campaign()
    with store.lock():
        campaign = store.create(new)
        later = store.create(replace(new, fingerprint="other", name="later"))
    assert [status.id for status in store.campaigns()] == [later, campaign] == [2, 1]
    status = store.find("f00")
    assert status == store.campaign(campaign)
    assert status is not None
    assert (status.state, status.faults, status.images, status.pairs, status.pairs_done) == ("paused", 12, 15, 180, 0)
    assert status.created.endswith("Z")
    assert store.find("unknown") is None
    assert len(store.curve(campaign).critical) == 0
    assert store.summary(campaign).critical.tolist() == [0] * 12


@pytest.mark.parametrize("call", [Store.campaign, Store.curve, Store.summary])
def test_an_unknown_campaign_is_named(tmp_path: Path, call) -> None:
    with pytest.raises(InputError, match=r"there is no campaign 7; `dear-tui list` shows"):
        call(Store.open(tmp_path), 7)


def test_writing_needs_the_lock(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    campaign = store.create(new_campaign())
    with pytest.raises(RuntimeError, match="lock"):
        store.writer(campaign)


def test_a_campaign_that_cannot_be_described_leaves_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.lock(), pytest.raises(ValueError, match="no column for vibes"):
        store.create(replace(new_campaign(), metrics={"el2n": np.zeros(20), "vibes": np.zeros(20)}))
    assert store.campaigns() == []
    assert [path.name for path in store.layout.campaigns.iterdir()] == ["campaign=000000"]


def test_the_second_locker_learns_who_was_first_and_gets_it_after_a_kill(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    code = """
import sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]))
with store.lock():
    store.set_state(1, "running")
    store.state.set_progress(1, 170, 12.5, 0.8)
    print("locked", flush=True)
    sys.stdin.read()
"""
    with python(code, tmp_path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "locked\n"
        with pytest.raises(UnreachableError, match=f"process {first.pid} is at work in this store"), store.lock():
            pytest.fail("the lock was given twice")
        reader = Store.open(tmp_path, read_only=True)
        running = reader.campaign(campaign)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        killed = reader.campaign(campaign)
    assert (running.state, running.pairs_done, running.rate, running.eta_s) == ("running", 180, 12.5, 0.8)
    assert (killed.state, killed.pairs_done, killed.rate, killed.eta_s) == ("paused", 180, None, None)
    with store.lock():
        described = json.loads((store.layout.campaign(campaign).description).read_text())
        assert described["state"] == "paused"
    with store.lock():
        pass


def test_progress_runs_ahead_of_the_parts_only_while_running(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path, PLAN[:1])
    with store.lock():
        store.set_state(campaign, "running")
        assert store.campaign(campaign).pairs_done == 24
        store.state.set_progress(campaign, 100, 50.0, 1.6)
        assert store.campaign(campaign).pairs_done == 100
        store.set_state(campaign, "paused", "the disk is full")
    status = store.campaign(campaign)
    assert (status.state, status.pairs_done, status.error) == ("paused", 24, "the disk is full")
    assert status.masked + status.non_critical + status.critical == 24


def test_the_start_is_kept_and_an_error_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, campaign, _ = filled_store(tmp_path)
    times = iter(["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"])
    monkeypatch.setattr("engine.store.state.state.now", lambda: next(times, "2026-01-01T00:00:09Z"))
    states: list[tuple[State, str | None]] = [("running", None), ("failed", "no memory"), ("running", None)]
    for state, error in states:
        with store.lock():
            store.set_state(campaign, state, error)
            status = store.campaign(campaign)
        described = json.loads(store.layout.campaign(campaign).description.read_text())
        assert {name: described[name] for name in ("state", "started", "finished", "error")} == {
            "state": state,
            "started": "2026-01-01T00:00:00Z",
            "finished": None,
            "error": error,
        }
        assert (status.state, status.started, status.error) == (state, "2026-01-01T00:00:00Z", error)


@pytest.mark.parametrize("name", ["moved", "it's [odd]*", "a=b"])
def test_a_store_that_has_moved_is_catalogued_anew(tmp_path: Path, name: str) -> None:
    store, campaign, truth = filled_store(tmp_path / "store")
    store.close()
    moved = Store.open((tmp_path / "store").rename(tmp_path / name))
    with duckdb.connect(str(moved.layout.catalogue), read_only=True) as client:
        assert (
            client.sql("SELECT fault_id, image_id, severity FROM severity ORDER BY ALL").fetchall()
            == truth.severities()
        )
        assert len(client.sql("FROM campaigns").fetchall()) == len(client.sql("FROM curve").fetchall()) / 15 == 1
    assert len(moved.curve(campaign).masked) == 15
    assert len(moved.summary(campaign).critical_fault) == len(truth.criticals())


def test_the_curve_holds_the_ranks_that_are_complete(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, [])
    reader = Store.open(tmp_path, read_only=True)
    seen = [len(reader.curve(campaign).masked)]
    with store.lock():
        writer = store.writer(campaign)
        for part in range(len(PLAN)):
            write(writer, truth, PLAN[: part + 1])
            curve = reader.curve(campaign)
            seen.append(len(curve.masked))
            rows = list(zip(curve.masked.tolist(), curve.non_critical.tolist(), curve.critical.tolist(), strict=True))
            assert rows == truth.curve(len(rows))
            with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
                view = client.sql("SELECT masked, non_critical, critical FROM curve ORDER BY rank").fetchall()
            assert view == rows
    assert seen == [0, 2, 2, 9, 15]
    assert (curve.faults, curve.images, curve.metric_name) == (12, 15, "el2n")
    assert curve.metric.tolist() == truth.new.metrics["el2n"][truth.new.workload].tolist()


def test_a_block_out_of_order_waits_for_the_ranks_before_it(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path, [(2, 9, 0, 12)])
    assert len(store.curve(campaign).masked) == 0
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        assert client.sql("FROM curve").fetchall() == []


def test_the_summary_adds_up_what_was_written(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    summary = store.summary(campaign)
    columns = [summary.fault_id, *(getattr(summary, name) for name in COUNTS), summary.correct]
    expected = [
        (fault, *counts)
        for fault, *counts, _first_non_masked, _first_critical, _first_screened in truth.fault_summaries()
    ]
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert summary.workload.tolist() == truth.new.workload.tolist()
    assert summary.metric.tolist() == truth.new.metrics["el2n"].tolist()
    assert summary.golden_correct.tolist() == (truth.new.labels == truth.new.golden_class).tolist()
    pairs = sorted(zip(summary.critical_fault.tolist(), summary.critical_image.tolist(), strict=True))
    assert pairs == [(fault, image) for fault, image, *_ in truth.criticals()]
    assert summary.nonfinite.sum() == sum(bool(row[3]) for row in truth.criticals())
    assert summary.unverified_parts == 0
    assert summary.status == store.campaign(campaign)


def test_two_campaigns_do_not_mix(tmp_path: Path) -> None:
    store, first, truth = filled_store(tmp_path)
    other = Truth.of(new_campaign(seed=5, fingerprint="other"), seed=6)
    with store.lock():
        second = store.create(other.new)
        write(store.writer(second), other, PLAN)
    for campaign, expected in ((first, truth), (second, other)):
        curve = store.curve(campaign)
        assert curve.critical.tolist() == [critical for _, _, critical in expected.curve(15)]
        assert len(store.summary(campaign).critical_fault) == len(expected.criticals())
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        view = client.sql("SELECT campaign, critical FROM curve ORDER BY campaign, rank").fetchall()
    assert [critical for campaign, critical in view if campaign == second] == store.curve(second).critical.tolist()


def test_spans_overlap_only_where_both_ranks_and_faults_do() -> None:
    span = Span(2, 4, 10, 20)
    assert span.overlaps(Span(3, 9, 19, 30))
    assert not span.overlaps(Span(4, 6, 10, 20))
    assert not span.overlaps(Span(2, 4, 20, 30))
