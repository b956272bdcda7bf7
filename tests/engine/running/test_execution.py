"""Campaigns from the queue: what is asked of them while they run, a full disk, changed files."""

from __future__ import annotations

import os
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from engine.config.campaign_config import load_config
from engine.errors import DearError, DiskFullError, InputError, UnreachableError
from engine.running.execution import execute, execute_queued, prepare_new
from engine.running.preparation import prepare
from engine.store import Store
from engine.store.sql.sql import SqlSession
from engine.store.write.writer import CampaignWriter
from tests.small_campaign import write_config, write_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.running.progress import Progress
    from engine.steps import Step
    from engine.store import Action, CampaignStatus

pytestmark = pytest.mark.usefixtures("one_thread")


class Listener:
    """Keeps what it hears, and does something as soon as pairs are done."""

    def __init__(self, act: Callable[[], object] = lambda: None, while_loading: bool = False) -> None:
        self.steps: list[Step] = []
        self.campaigns: list[CampaignStatus] = []
        self.progress: list[Progress] = []
        self.notes: list[str] = []
        self._act = act
        self._while_loading = while_loading

    def on_campaign(self, status: CampaignStatus) -> None:
        self.campaigns.append(status)

    def on_step(self, step: Step) -> None:
        self.steps.append(step)
        if self._while_loading:
            self._act()

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)
        if progress.pairs_done:
            self._act()

    def on_note(self, note: str) -> None:
        self.notes.append(note)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The small campaign waits in it."""
    opened = Store.open(tmp_path / "store")
    opened.queue.submit(prepare_new(load_config(write_config(tmp_path))))
    return opened


def run_next(store: Store, listener: Listener | None = None, should_stop: Callable[[], bool] = lambda: False) -> None:
    with store.lock("worker"):
        campaign = store.queue.take()
        assert campaign is not None
        execute_queued(store, campaign, listener or Listener(), should_stop)


def results(store: Store) -> list[list[tuple[Any, ...]]]:
    with SqlSession(store.layout.root) as session:
        tables = ("severity", "critical", "fault_summary", "curve")
        return [list(session.query(f"SELECT * EXCLUDE campaign FROM {table} ORDER BY ALL")) for table in tables]


@pytest.fixture(scope="module")
def undisturbed(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[Any, ...]]]:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("undisturbed")
    execute(prepare(load_config(write_config(folder))), folder / "store", Listener(), lambda: False)
    return results(Store.open(folder / "store", read_only=True))


def test_from_the_queue_it_gives_what_the_foreground_gives(
    store: Store, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    listener = Listener()
    run_next(store, listener)
    assert store.campaign(1).state == "finished"
    assert [status.state for status in listener.campaigns] == ["running"]
    blocks = [progress.block for progress in listener.progress]
    assert (blocks[0], blocks[-1]) == (None, None), "before the first pair, and after the last"
    ran = [block for block in blocks if block is not None]
    assert len(ran) == len(blocks) - 2
    assert (ran[0][0], ran[-1][1]) == (0, 40)
    assert all(block == after or block[1] == after[0] for block, after in pairwise(ran))
    assert results(store) == undisturbed


def test_images_read_on_demand_are_the_same_campaign_and_how_they_are_read_is_said(
    tmp_path: Path, undisturbed: list[list[tuple[Any, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write_config(tmp_path))
    before = prepare(config).fingerprint
    with np.load(tmp_path / "set.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    np.savez_compressed(tmp_path / "set.npz", test_images=images[:, 0], test_labels=labels[:, None])
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    prepared, listener = prepare(config), Listener()
    assert not isinstance(prepared.dataset.images, np.ndarray)
    assert prepared.fingerprint == before
    execute(prepared, tmp_path / "store", listener, lambda: False)
    said = f"npz ({tmp_path}/set.npz): test_images and test_labels are read, the test split"
    assert said in listener.notes
    assert results(Store.open(tmp_path / "store", read_only=True)) == undisturbed


def test_stopped_it_is_first_in_the_queue_and_goes_on_exactly(
    store: Store, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    stops: list[bool] = []
    run_next(store, Listener(lambda: stops.append(True)), lambda: bool(stops))
    status = store.campaign(1)
    assert (status.state, store.queue.waiting()) == ("queued", [1])
    assert 0 < status.pairs_done < status.pairs
    run_next(store)
    assert results(store) == undisturbed


def test_state_sqlite_lost_under_a_run_in_the_foreground_is_rebuilt_and_the_run_goes_on(
    tmp_path: Path, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    path, losses = tmp_path / "store", iter(range(2))

    def lose_state() -> None:
        if (path / "state.sqlite").exists() and next(losses, None) is not None:
            for file in path.glob("state.sqlite*"):
                file.unlink()
            with pytest.raises(UnreachableError, match=f"missing; process {os.getpid()}, which is at work .* rebuilds"):
                Store.open(path)

    listener = Listener(lose_state)
    status = execute(prepare(load_config(write_config(tmp_path))), path, listener, lambda: False)
    assert (status.state, status.pairs_done) == ("finished", status.pairs)
    lost = f"{path}/state.sqlite: lost or replaced while it was in use; it is rebuilt from the campaigns"
    assert listener.notes.count(lost) == 2
    assert results(Store.open(path)) == undisturbed


def test_ctrl_c_after_the_loss_of_state_sqlite_is_heeded(tmp_path: Path) -> None:
    path, stops = tmp_path / "store", list[bool]()

    def lose_state() -> None:
        for file in path.glob("state.sqlite*"):
            file.unlink()
        stops.append(True)

    config = load_config(write_config(tmp_path))
    status = execute(prepare(config), path, Listener(lose_state), lambda: bool(stops))
    assert status.state == "paused"
    assert 0 < status.pairs_done < status.pairs
    assert execute(prepare(config), path, Listener(), lambda: False).state == "finished"


@pytest.mark.parametrize(("action", "back", "state"), [("pause", "resume", "paused"), ("cancel", "retry", "cancelled")])
def test_what_is_asked_while_it_runs_is_obeyed_at_the_edge_of_the_part(
    store: Store, undisturbed: list[list[tuple[Any, ...]]], action: Action, back: Action, state: str
) -> None:
    other = Store.open(store.layout.root)
    listener = Listener(lambda: other.queue.request(action, 1))
    run_next(store, listener)
    status = store.campaign(1)
    assert (status.state, status.error, store.queue.waiting()) == (state, None, [])
    assert status.pairs_done == listener.progress[-1].pairs_done < status.pairs, "what was computed is kept"
    other.queue.request(back, 1)
    run_next(store)
    assert results(store) == undisturbed


@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_what_is_asked_while_it_loads_is_obeyed_before_the_next_step(store: Store, action: Action, state: str) -> None:
    other = Store.open(store.layout.root)
    listener = Listener(lambda: other.queue.request(action, 1), while_loading=True)
    run_next(store, listener)
    assert (store.campaign(1).state, store.queue.waiting(), len(listener.steps)) == (state, [], 1)


def test_stopped_while_it_loads_it_is_first_in_the_queue(store: Store) -> None:
    stops: list[bool] = []
    listener = Listener(lambda: stops.append(True), while_loading=True)
    run_next(store, listener, lambda: bool(stops))
    assert (store.queue.waiting(), len(listener.steps)) == ([1], 1)


@pytest.mark.parametrize("role", ["worker", "foreground"])
def test_deleted_while_it_runs_it_is_gone_in_a_sentence(store: Store, tmp_path: Path, role: str) -> None:
    other = Store.open(store.layout.root)
    listener = Listener(lambda: other.queue.request("delete", 1))

    def run() -> None:
        if role == "worker":
            run_next(store, listener)
        else:
            execute(prepare(load_config(write_config(tmp_path))), store.layout.root, listener, lambda: False)

    with pytest.raises(DearError, match="campaign 1 was deleted while it ran"):
        run()
    assert store.campaigns() == []
    assert store.layout.campaign_ids() == []


def test_its_folder_removed_while_it_runs_is_a_failure_in_a_sentence(store: Store) -> None:
    listener = Listener(lambda: shutil.rmtree(store.layout.campaign(1).folder, ignore_errors=True))
    with pytest.raises(DearError) as caught:
        run_next(store, listener)
    assert "\n" not in str(caught.value)
    assert str(store.layout.campaign(1).folder) in str(caught.value)
    assert store.campaign(1).state == "failed"
    store.queue.request("delete", 1)
    assert store.campaigns() == []


def test_what_is_asked_during_the_seal_comes_too_late_but_for_delete(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, seal = Store.open(store.layout.root), CampaignWriter.seal

    def asked(writer: CampaignWriter) -> None:
        other.queue.request("pause", 1)
        seal(writer)

    monkeypatch.setattr(CampaignWriter, "seal", asked)
    run_next(store)
    assert store.campaign(1).state == "finished"
    assert store.queue.order(1) is None


def test_it_runs_with_as_many_threads_as_it_was_submitted_with(
    store: Store, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    torch.set_num_threads(2)
    try:
        run_next(store)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(1)
    assert results(store) == undisturbed


def test_images_that_changed_since_it_was_submitted_are_refused(store: Store, tmp_path: Path) -> None:
    write_images(tmp_path / "set.npz", images=41)
    difference = r"images \w{8} \(now \w{8}\), workload \w{8} \(now \w{8}\)"
    with pytest.raises(InputError, match=f"^campaign 1 was submitted with {difference}; put that back and"):
        run_next(store)
    assert store.campaign(1).state == "failed"
    write_images(tmp_path / "set.npz")
    store.queue.request("retry", 1)
    run_next(store)
    assert store.campaign(1).state == "finished"


@pytest.mark.parametrize("name", ["faults.parquet", "images.parquet"])
def test_what_is_fixed_and_damaged_is_written_again_from_the_queue(
    store: Store, undisturbed: list[list[tuple[Any, ...]]], name: str
) -> None:
    path = store.layout.campaign(1).folder / name
    written = path.read_bytes()
    path.write_bytes(written[:-20])
    listener = Listener()
    run_next(store, listener)
    assert listener.notes == [f"{path}: damaged; written again"]
    assert path.read_bytes() == written
    assert results(store) == undisturbed


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[:-20], "cannot be read"),
        (lambda text: text.replace('"lenet5"', '"vgg11"'), "damaged; submit"),
        (lambda _text: "{}", "damaged; submit"),
    ],
    ids=["cut", "altered", "empty"],
)
def test_a_damaged_description_is_a_failure_until_the_config_is_submitted_again(
    store: Store,
    tmp_path: Path,
    undisturbed: list[list[tuple[Any, ...]]],
    damage: Callable[[str], str],
    said: str,
) -> None:
    path = store.layout.campaign(1).description
    written = path.read_text()
    assert damage(written) != written
    path.write_text(damage(written))
    with pytest.raises(UnreachableError, match=f"^{path}: {said}"):
        run_next(store)
    assert store.campaign(1).state == "failed"
    submitted = store.queue.submit(prepare_new(load_config(write_config(tmp_path))))
    assert (submitted.campaign, submitted.known_as) == (1, "failed")
    run_next(store)
    assert results(store) == undisturbed


def test_files_that_are_gone_are_a_failure_in_a_sentence(store: Store, tmp_path: Path) -> None:
    (tmp_path / "set.npz").unlink()
    with pytest.raises(InputError, match=r"set\.npz"):
        run_next(store)
    status = store.campaign(1)
    assert status.state == "failed"
    assert status.error is not None
    assert "set.npz" in status.error


@pytest.mark.parametrize("write", ["commit", "seal"])
def test_without_room_it_waits_paused_and_goes_on_by_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch, undisturbed: list[list[tuple[Any, ...]]], write: str
) -> None:
    genuine, refusals = getattr(CampaignWriter, write), iter(range(2))
    seen = []

    def full(writer: CampaignWriter, *arguments: Any) -> Any:
        if next(refusals, None) is not None:
            raise DiskFullError("no room")
        return genuine(writer, *arguments)

    def look(_seconds: float) -> None:
        seen.append((store.campaign(1).state, store.campaign(1).error))
        seen.append(tuple(store.description(1)[name] for name in ("state", "error")))

    monkeypatch.setattr(CampaignWriter, write, full)
    monkeypatch.setattr("engine.running.submit_wait.ROOM_SECONDS", 0.05)
    monkeypatch.setattr("engine.running.submit_wait.time.sleep", look)
    listener = Listener()
    run_next(store, listener)
    assert listener.notes == ["no room; it goes on by itself"]
    assert set(seen) == {("paused", "no room; it goes on by itself")}
    assert (store.campaign(1).state, store.campaign(1).error) == ("finished", None)
    assert results(store) == undisturbed


def test_while_it_waits_for_room_it_obeys(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_writer: CampaignWriter, *_arguments: Any) -> None:
        raise DiskFullError("no room")

    monkeypatch.setattr(CampaignWriter, "commit", full)
    monkeypatch.setattr("engine.running.submit_wait.time.sleep", lambda _seconds: store.queue.request("cancel", 1))
    run_next(store)
    assert (store.campaign(1).state, store.campaign(1).error) == ("cancelled", None)


def test_no_room_to_begin_with_leaves_it_first_in_the_queue(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_store: Store, _campaign: int) -> None:
        raise DiskFullError("no room")

    monkeypatch.setattr(Store, "writer", full)
    with pytest.raises(DiskFullError):
        run_next(store)
    assert store.queue.waiting() == [1]


def test_a_clock_that_goes_back_changes_nothing_but_the_times(
    store: Store, monkeypatch: pytest.MonkeyPatch, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    years = iter(range(2099, 1000, -1))
    monkeypatch.setattr("engine.store.state.state.now", lambda: f"{next(years)}-01-01T00:00:00Z")
    stops: list[bool] = []
    run_next(store, Listener(lambda: stops.append(True)), lambda: bool(stops))
    listener = Listener()
    run_next(store, listener)
    assert results(store) == undisturbed
    status = store.campaign(1)
    assert status.started is not None
    assert status.finished is not None
    assert (status.state, status.finished < status.started) == ("finished", True)
    assert all(progress.rate is None or progress.rate > 0 for progress in listener.progress)
    assert all(progress.eta_s is None or progress.eta_s >= 0 for progress in listener.progress)
