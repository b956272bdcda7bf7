"""What others put into a store that they may write to, and what one process deletes of another one's."""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.errors import UnreachableError
from engine.store import Store, files
from tests.engine.store.mend.test_recovery import complete
from tests.engine.store.stored_campaigns import PLAN, filled_store, write

DEADLINE = 20.0


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the user's own, outside the store."""
    path = tmp_path / "thesis.tex"
    path.write_text("precious")
    return path


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("name", ["lock", "worker.lock", "state.sqlite"])
def test_a_link_in_the_place_of_a_file_of_the_store_is_refused(
    tmp_path: Path, victim: Path, name: str, is_there: bool
) -> None:
    if not is_there:
        victim.unlink()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / name).symlink_to(victim)
    with pytest.raises(UnreachableError, match=f"store/{name}: is a link, .* instead of a file; move it away"):
        Store.open(tmp_path / "store")
    assert victim.exists() == is_there
    assert not is_there or victim.read_text() == "precious"


@pytest.mark.parametrize("name", ["lock", "worker.lock", "state.sqlite"])
def test_who_only_looks_does_not_follow_a_link_either(tmp_path: Path, name: str) -> None:
    store, *_ = filled_store(tmp_path / "store")
    store.close()
    for path in store.layout.state_logs:
        path.unlink(missing_ok=True)
    (tmp_path / "store" / name).rename(tmp_path / "elsewhere")
    (tmp_path / "store" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnreachableError, match=f"store/{name}: is a link"):
        Store.open(tmp_path / "store", read_only=True).queue_view()


@pytest.mark.parametrize("read_only", [False, True])
def test_sqlites_own_files_are_not_followed_either(tmp_path: Path, victim: Path, read_only: bool) -> None:
    store, *_ = filled_store(tmp_path / "store")
    store.close()
    for path in store.layout.state_logs:
        path.unlink(missing_ok=True)
    store.layout.state_logs[0].symlink_to(victim)
    with pytest.raises(UnreachableError, match=r"state\.sqlite-wal: is a link"):
        Store.open(tmp_path / "store", read_only).campaigns()
    assert victim.read_text() == "precious"


def test_a_link_in_the_place_of_the_reserve_is_not_written_through(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "reserve").symlink_to(victim)
    store, campaign, truth = filled_store(tmp_path / "store")
    complete(store, campaign, truth)
    assert victim.read_text() == "precious"


def test_links_in_the_place_of_unfinished_files_are_not_written_through(tmp_path: Path, victim: Path) -> None:
    store, campaign, truth = filled_store(tmp_path / "store", PLAN[:2])
    folder = store.layout.campaign(campaign).folder
    names = ["campaign.json.tmp", "campaign.duckdb.tmp", "campaign.duckdb.tmp.wal", "faults.parquet.tmp"]
    names += [f"{table}/part-000002.parquet.tmp" for table in ("severity", "critical", "fault_summary")]
    with store.lock():
        writer = store.writer(campaign)
        for name in names:
            (folder / name).symlink_to(victim)
        store.set_state(campaign, "running")
        (folder / "faults.parquet").unlink()
        store.restore(campaign, truth.new)
        write(writer, truth, PLAN)
        writer.seal()
    (store.layout.root / "dear.duckdb.tmp").symlink_to(victim)
    store.layout.catalogue.unlink()
    store.close()
    complete(Store.open(tmp_path / "store"), campaign, truth)
    assert victim.read_text() == "precious"


def until(condition: threading.Event, or_thread: threading.Thread) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition.wait(0.01) and or_thread.is_alive():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("step", ["campaign.json", "faults.parquet"])
def test_what_another_process_is_writing_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """One process stops between writing the unfinished file and renaming it; another one takes the lock meanwhile."""
    store, campaign, truth = filled_store(tmp_path)
    folder = store.layout.campaign(campaign).folder
    (folder / step).unlink()
    waits, problems = threading.Event(), list[BaseException]()
    publish = files.publish

    def takes_the_lock() -> None:
        try:
            with Store.open(tmp_path).lock():
                pass
        except BaseException as error:
            problems.append(error)

    other = threading.Thread(target=takes_the_lock)

    def flock(descriptor: int, kind: int) -> None:
        if threading.current_thread() is other and Path(f"/proc/self/fd/{descriptor}").readlink() == folder:
            waits.set()
        fcntl.flock(descriptor, kind)

    def interrupted(path: Path, mode: int = 0o600) -> None:
        if path.name == step and not other.is_alive() and not waits.is_set():
            other.start()
            until(waits, other)
        publish(path, mode)

    monkeypatch.setattr(files, "fcntl", SimpleNamespace(**vars(fcntl) | {"flock": flock}))
    for module in ("files", "parquet"):
        monkeypatch.setattr(f"engine.store.{module}.publish", interrupted)
    store.restore(campaign, truth.new)
    other.join(DEADLINE)
    assert problems == []
    assert (folder / step).is_file()
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_a_killed_process_left_is_deleted_and_what_is_foreign_is_not(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    files_of = store.layout.campaign(campaign)
    left = [folder / "something.tmp" for folder in files_of.folders] + [files_of.folder / "campaign.duckdb.tmp.wal"]
    left += [store.layout.campaigns / "campaign=000007.tmp" / "campaign.json"]
    foreign = [store.layout.campaigns / "backup" / "mine.tmp", tmp_path / "mine.tmp"]
    for path in left + foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    with store.lock():
        assert [path for path in left + foreign if path.exists()] == foreign


@pytest.mark.parametrize("mode", [0o770, 0o707])
@pytest.mark.parametrize("folder", ["", "/campaigns"])
def test_a_store_that_others_may_write_to_is_told(tmp_path: Path, folder: str, mode: int) -> None:
    filled_store(tmp_path / "store")[0].close()
    path = Path(f"{tmp_path}/store{folder}")
    path.chmod(mode)
    told = [f"{path}: others may write to it, and so change its results; `chmod go-w` it"]
    assert Store.open(tmp_path / "store").take_notes() == told
    path.chmod(0o755)
    assert Store.open(tmp_path / "store").take_notes() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_store_of_another_user_is_told(tmp_path: Path) -> None:
    filled_store(tmp_path / "store")[0].close()
    os.chown(tmp_path / "store", 65534, 65534)
    assert Store.open(tmp_path / "store").take_notes() == [
        f"{tmp_path}/store: belongs to another user, number 65534, who may change its results; `chown` it"
    ]
