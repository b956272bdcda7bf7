"""A campaign from start to end: the plan of blocks, stopping, resuming, failing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.campaign_config import load_config
from engine.errors import DearError, InputError, UnreachableError
from engine.injection.check.self_check import CheckResult
from engine.injection.injection import Injection
from engine.running.blocks.block_jobs import FIRST_BLOCK, plan_jobs
from engine.running.campaign import new_campaign
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.running.progress import ProgressMeter
from engine.severity import COUNTS
from engine.store import CampaignStatus, Span, Store
from engine.store.schema import AUDIT_COUNTS
from engine.store.sql.sql import SqlSession
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.running.progress import Progress
    from engine.steps import Step

pytestmark = pytest.mark.usefixtures("one_thread")

RESULTS = (
    "SELECT fault_id, image_id, severity FROM severity ORDER BY ALL",
    "SELECT fault_id, image_id, prediction, nonfinite FROM critical ORDER BY ALL",
    "SELECT * FROM fault_summary ORDER BY ALL",
    "SELECT rank, masked, non_critical, critical FROM curve ORDER BY ALL",
)


class Recorder:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.campaigns: list[CampaignStatus] = []
        self.progress: list[Progress] = []
        self.notes: list[str] = []

    def on_campaign(self, status: CampaignStatus) -> None:
        self.campaigns.append(status)

    def on_step(self, step: Step) -> None: ...

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)

    def on_note(self, note: str) -> None:
        self.notes.append(note)


def run(
    config: Path,
    store: Path,
    should_stop: Callable[[], bool] = lambda: False,
    recorder: Recorder | None = None,
    again: bool = False,
) -> CampaignStatus:
    return execute(prepare(load_config(config)), store, recorder or Recorder(), should_stop, again)


def results(store: Path) -> list[list[tuple[Any, ...]]]:
    with SqlSession(store) as session:
        return [list(session.query(query)) for query in RESULTS]


def after(groups: int) -> Callable[[], bool]:
    """Asks for a stop after so many groups of faults."""
    answers = iter([False] * (groups - 1))
    return lambda: next(answers, True)


@pytest.fixture(scope="module")
def undisturbed(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[Any, ...]]]:  # noqa: ARG001
    """What the small campaign gives when nothing gets in its way."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run(write_config(folder), folder / "store").state == "finished"
    return results(folder / "store")


def test_a_campaign_runs_every_fault_on_every_image(undisturbed: list[list[tuple[Any, ...]]]) -> None:
    severity, critical, by_fault, curve = undisturbed
    assert [row[:2] for row in severity] == [(fault, image) for fault in range(FAULTS) for image in range(IMAGES)]
    assert {row[2] for row in severity} == {0, 1, 2}
    assert [row[:2] for row in severity if row[2] == 2] == [row[:2] for row in critical]
    assert len(by_fault) == FAULTS
    assert len(curve) == IMAGES
    assert all(sum(row[1:]) == FAULTS for row in curve)


@pytest.mark.parametrize("memory", ["1MB", "5MB"])
def test_stopped_and_resumed_it_gives_the_same_to_the_last_pair(
    tmp_path: Path, undisturbed: list[list[tuple[Any, ...]]], memory: str
) -> None:
    """Whatever the memory, and so the batches and blocks, of the run that resumes it."""
    store = tmp_path / "store"
    stopped = run(write_config(tmp_path), store, after(3))
    assert (stopped.state, stopped.id) == ("paused", 1)
    assert 0 < stopped.pairs_done < stopped.pairs
    assert run(write_config(tmp_path, run={"memory": "2MB"}), store, after(2)).state == "paused"
    recorder = Recorder()
    finished = run(write_config(tmp_path, run={"memory": memory}), store, recorder=recorder)
    assert (finished.state, finished.id, finished.pairs_done) == ("finished", 1, finished.pairs)
    assert recorder.campaigns[0].pairs_done > stopped.pairs_done
    assert results(store) == undisturbed


def test_progress_begins_with_what_is_committed_and_ends_with_all(tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    stopped = run(config, store, after(3))
    recorder = Recorder()
    finished = run(config, store, recorder=recorder)
    done = [progress.pairs_done for progress in recorder.progress]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (stopped.pairs_done, finished.pairs)
    last = recorder.progress[-1]
    assert (last.masked, last.non_critical, last.critical) == (
        finished.masked,
        finished.non_critical,
        finished.critical,
    )


def test_the_same_campaign_again_is_found_finished_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    run(write_config(tmp_path), store)
    monkeypatch.setattr(Injection, "inject", None)  # no fault may be injected,
    monkeypatch.setattr(Injection, "replay", None)  # nor for a check
    recorder = Recorder()
    again = run(write_config(tmp_path, name="another name"), store, recorder=recorder)
    assert (again.id, again.state, again.name) == (1, "finished", "small")
    assert recorder.campaigns == [again]
    assert recorder.progress == []


def test_another_seed_is_another_campaign(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(write_config(tmp_path), store, after(1))
    assert run(write_config(tmp_path, faults={"seed": 1}), store, after(1)).id == 2


def test_a_failure_is_kept_with_its_reason_and_the_campaign_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    inject = Injection.inject

    def breaking(self: Injection, *arguments: Any) -> Iterator[Any]:
        yield from islice(inject(self, *arguments), 2)
        raise RuntimeError("the device was lost\nand a long trace")

    with monkeypatch.context() as patch:
        patch.setattr(Injection, "inject", breaking)
        with pytest.raises(DearError, match="campaign 1 failed: the device was lost; run it again") as caught:
            run(config, store)
    assert caught.value.exit_code == 1
    status = Store.open(store, read_only=True).campaign(1)
    assert (status.state, status.error) == ("failed", "the device was lost")
    finished = run(config, store)
    assert (finished.state, finished.id, finished.error) == ("finished", 1, None)
    assert results(store) == undisturbed


def test_interrupted_at_once_it_is_paused_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    inject = Injection.inject

    def interrupted(self: Injection, *arguments: Any) -> Iterator[Any]:
        yield from islice(inject(self, *arguments), 3)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Injection, "inject", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(config, store)
    assert Store.open(store, read_only=True).campaign(1).state == "paused"
    assert run(config, store).state == "finished"
    assert results(store) == undisturbed


def test_a_config_that_cannot_run_leaves_no_campaign(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with pytest.raises(InputError, match=r"\[run\] memory: 1,000 bytes do not hold one image"):
        run(write_config(tmp_path, run={"memory": "1KB"}), store)
    assert not store.exists()


def test_a_store_another_process_works_in_is_left_alone(tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    run(config, store, after(1))
    code = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); f.truncate(0); "
    code += "f.write(str(__import__('os').getpid())); f.flush(); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(store / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UnreachableError, match=f"process {holder.pid} is at work in this store"):
            run(config, store)
        assert holder.stdin is not None
        holder.stdin.close()
    assert holder.pid != os.getpid()
    assert Store.open(store, read_only=True).campaign(1).state == "paused"


def test_blocks_double_so_that_the_first_is_there_at_once() -> None:
    blocks = list(plan_jobs(images=1000, most_rows=256, wave_stops=[5], done=[]))
    assert [block.rank_stop - block.rank_start for block in blocks] == [16, 32, 64, 128, 256, 256, 248]
    assert blocks[0].rank_stop == FIRST_BLOCK
    assert all(block.gaps == (range(5),) for block in blocks)


def test_a_block_that_has_parts_keeps_its_length() -> None:
    done = [Span(0, 16, 0, 5), Span(16, 48, 0, 2), Span(16, 48, 4, 5)]
    first, second, *_ = plan_jobs(images=100, most_rows=8, wave_stops=[5], done=done)
    assert (first.rank_start, first.rank_stop, first.gaps) == (16, 48, (range(2, 4),))
    assert (second.rank_start, second.rank_stop, second.gaps) == (48, 56, (range(5),))


@given(st.integers(1, 300), st.integers(1, 64), st.integers(1, 64), st.integers(1, 20), st.data())
def test_whatever_was_done_the_rest_is_run_exactly_once(
    images: int, rows_before: int, rows_now: int, faults: int, data: st.DataObject
) -> None:
    done = []
    for block in plan_jobs(images, rows_before, [faults], []):
        cuts = sorted({0, faults, *data.draw(st.lists(st.integers(0, faults), max_size=3))})
        parts = [Span(block.rank_start, block.rank_stop, *ends) for ends in pairwise(cuts)]
        done += data.draw(st.lists(st.sampled_from(parts), unique=True))
    seen = [(rank, place) for span in done for rank in range(span.rank_start, span.rank_stop)
            for place in range(span.fault_start, span.fault_stop)]  # fmt: skip
    for block in plan_jobs(images, rows_now, [faults], done):
        seen += [(rank, place) for rank in range(block.rank_start, block.rank_stop) for gap in block.gaps
                 for place in gap]  # fmt: skip
    assert sorted(seen) == [(rank, place) for rank in range(images) for place in range(faults)]


def test_the_time_left_does_not_follow_the_slow_faults_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten faults of the first layer take 20 s of the 29 s of each of 8 blocks, the other ninety 9 s."""
    now = 0.0
    monkeypatch.setattr("engine.running.progress.time.monotonic", lambda: now)
    shown: list[Progress] = []
    known: dict[str, Any] = {"faults": 100, "images": 80, "pairs": 8000}
    known |= dict.fromkeys((*COUNTS, *AUDIT_COUNTS), 0)
    status = CampaignStatus(
        **cast("dict[str, Any]", dict.fromkeys(field.name for field in fields(CampaignStatus))) | known
    )
    meter = ProgressMeter(status, shown.append)
    errors, rates = [], []
    for block in range(8):
        for fault in range(100):
            now += 2.0 if fault < 10 else 0.1
            meter.advance(10, (10 * block, 10 * block + 10), [])
            left = 8 * 29 - now
            if block > 0 and left > 29:
                assert shown[-1].eta_s is not None
                assert shown[-1].rate is not None
                errors.append(abs(shown[-1].eta_s - left))
                rates.append(shown[-1].rate)
    assert max(errors) < 29  # less than one block
    assert max(rates) > 10 * min(rates)  # what is shown as the rate is the present one


def test_each_layer_is_kept_with_the_method_that_runs_it(tmp_path: Path) -> None:
    """Also where that is not the campaign's, although the self-check found nothing wrong with it."""
    prepared = prepare(load_config(write_config(tmp_path, run={"method": "fast"})))
    prepared.injection.fall_back(1)
    kept = new_campaign(prepared, CheckResult(0, 0, 0, 0, (), 0.0)).layers
    assert [layer.method for layer in kept] == ["fast", "exact", "fast", "fast", "fast"]
    assert {layer.reason for layer in kept} == {None}
