from dataclasses import replace
from pathlib import Path

import pytest

from dear_tui.access.store_location import AtWork, Snapshot, SnapshotReader, open_store, version_of
from engine.errors import UnreachableError
from engine.severity import COUNTS
from engine.store.records import CampaignStatus, CurveData
from engine.store.state.heartbeat import WorkerStatus
from tests.dear_tui.memory_store import FakeSource, make_curve, make_status


def test_campaigns_and_the_watched_curve_are_read() -> None:
    source = FakeSource([make_status(2), make_status(1, done=10)], {1: make_curve(10)})
    snapshot = SnapshotReader(lambda: source).read(1)
    assert snapshot.campaigns == tuple(source.statuses)
    assert snapshot.status(2) == source.statuses[0]
    assert snapshot.curve is source.curves[1]


def test_an_unchanged_curve_is_not_read_again() -> None:
    source = FakeSource([make_status(1, done=10, state="running")], {1: make_curve(10)})
    reader = SnapshotReader(lambda: source)
    first, second = reader.read(1), reader.read(1)
    assert (first, source.curve_calls) == (second, 1)
    source.statuses = [make_status(1, done=20, state="running")]
    assert reader.read(1) != first
    assert source.curve_calls == 2


@pytest.mark.parametrize("watched", [None, 5])
def test_without_a_watched_campaign_there_is_no_curve(watched: int | None) -> None:
    source = FakeSource([make_status(1, done=10)])
    assert SnapshotReader(lambda: source).read(watched).curve is None


class BrokenSource(FakeSource):
    def campaigns(self) -> list[CampaignStatus]:
        if not self.statuses:
            raise OSError("disk I/O error")
        return super().campaigns()


def test_a_failure_becomes_a_sentence_and_what_was_read_stays() -> None:
    source = BrokenSource([make_status(1)])
    opened = []
    reader = SnapshotReader(lambda: opened.append(1) or source)  # type: ignore[func-returns-value]
    before = reader.read(None)
    source.statuses = []
    after = reader.read(None)
    assert after.problem == "The store cannot be read: OSError: disk I/O error"
    assert after.campaigns == before.campaigns
    source.statuses = [make_status(2)]
    assert reader.read(None) == Snapshot(campaigns=(make_status(2),))
    assert (len(opened), source.closed) == (2, 1)


class CurvelessSource(FakeSource):
    def curve(self, campaign: int) -> CurveData:
        raise OSError(f"part of campaign {campaign} is damaged")


def test_campaigns_are_shown_even_where_a_curve_is_damaged() -> None:
    snapshot = SnapshotReader(lambda: CurvelessSource([make_status(1, done=3)])).read(1)
    assert snapshot.campaigns == (make_status(1, done=3),)
    assert snapshot.problem.endswith("part of campaign 1 is damaged")


def test_the_worker_that_runs_a_campaign_is_known_and_its_heartbeat_is_nothing_new() -> None:
    source = FakeSource([make_status(3, state="running")])
    source.at_work = WorkerStatus(running=True, pid=4711, campaign=3, device="cuda:0", silence_s=0.1)
    reader = SnapshotReader(lambda: source)
    before = reader.read(None)
    assert before.at_work == AtWork(4711, 3, "cuda:0")
    source.at_work = replace(source.at_work, heartbeat="2026-01-02T03:04:05Z", silence_s=0.9, rate=1e6)
    assert reader.read(None) == before
    source.at_work = replace(source.at_work, campaign=2)
    assert reader.read(None).at_work is None
    source.statuses = [make_status(3, state="paused")]
    assert reader.read(None).at_work is None


def test_the_engines_own_sentence_is_kept() -> None:
    def fail() -> FakeSource:
        raise UnreachableError("/data: is not writable; choose another with --store")

    assert SnapshotReader(fail).read(None).problem == "/data: is not writable; choose another with --store"


def test_a_store_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert SnapshotReader(lambda: open_store(tmp_path / "later")).read(1) == Snapshot(campaigns=())


def test_a_store_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("not a store")
    assert str(path) in SnapshotReader(lambda: open_store(path)).read(None).problem


@pytest.mark.parametrize("name", COUNTS)
def test_a_part_of_any_kind_of_pairs_is_a_new_version(name: str) -> None:
    """Also one all of whose pairs were screened: nothing else changes then."""
    status = make_status()
    assert version_of(replace(status, **{name: getattr(status, name) + 1})) != version_of(status)


def test_a_store_made_anew_is_another_one() -> None:
    assert version_of(replace(make_status(), created="2027-01-01T00:00:00Z")) != version_of(make_status())
