"""Every file of a store, damaged in every way: what can still be asked says so in a sentence, and it can be mended."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.errors import DearError
from engine.store import Store
from engine.store.export import export_sealed, export_tables
from engine.store.sql.sql import SqlSession
from tests.engine.store.raw_state import change_state
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

CAMPAIGN, ZERO = Path("campaigns/campaign=000001"), Path("campaigns/campaign=000000")
PART = "part-000002.parquet"

FILES = [
    *(CAMPAIGN / name for name in ("campaign.json", "faults.parquet", "images.parquet", "campaign.duckdb")),
    *(CAMPAIGN / table / PART for table in ("severity", "critical", "fault_summary", "image_summary")),
    *(ZERO / name for name in ("campaign.json", "faults.parquet", "severity/part-000000.parquet")),
    *(Path(name) for name in ("state.sqlite", "dear.duckdb", "lock", "worker.lock", "reserve")),
]
FOLDERS = [
    CAMPAIGN,
    ZERO,
    *(CAMPAIGN / table for table in ("severity", "critical", "image_summary")),
    ZERO / "severity",
]


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    content[len(content) // 2] ^= 0x11
    path.chmod(0o600)
    path.write_bytes(content)


def a_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


DAMAGES = [Path.unlink, truncated, emptied, altered, a_folder, a_pipe, a_link_to_itself]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two finished campaigns; not to be written to."""
    path = tmp_path_factory.mktemp("whole") / "store"
    store, campaign, _ = filled_store(path)
    with store.lock():
        store.writer(campaign).seal()
        other = Truth.of(OTHER, seed=4)
        writer = store.writer(store.create(OTHER))
        write(writer, other, ONE_PART)
        writer.seal()
    store.close()
    return path


OTHER = new_campaign(seed=3, fingerprint="other")
ONE_PART = [(0, 15, 0, 12)]
"""the plan of it, which nothing happens to"""


def ask_everything(path: Path, out: Path) -> None:
    """What may be asked of a store that only is looked at: answered, or refused in one sentence."""
    queries = [f"SELECT count(*) FROM {view}" for view in ("campaigns", "severity", "fault_summary", "curve")]
    questions: list[Callable[[Store], object]] = [
        Store.campaigns,
        lambda store: store.description(1),
        lambda store: store.summary(1),
        lambda store: store.table_one(1),
        lambda store: store.curve(1),
        lambda store: store.image_counts(1),
        lambda store: store.layers(1),
        lambda store: len(store.critical_fault_ids(1)),
        Store.queue_view,
        Store.worker,
        lambda store: export_sealed(store, 1, out / "sealed"),
        lambda store: list(export_tables(store, 1, "csv", out)),
    ]
    with one_sentence(), closing(Store.open(path, read_only=True)) as store:
        for question in questions:
            with one_sentence():
                question(store)
    with one_sentence(), SqlSession(path) as session:
        for query in queries:
            with one_sentence():
                list(session.query(query))


@contextmanager
def one_sentence() -> Iterator[None]:
    """An error of ours may come, and nothing else."""
    said = ""
    try:
        yield
    except DearError as error:
        said = str(error)
    assert "\n" not in said
    assert "Errno" not in said


def check_mended(path: Path, damaged: Path) -> None:
    """`verify` of all, then each config again, after what is to be moved away is: both campaigns are there again."""
    said = ""
    try:
        verify_and_run_again(path)
    except DearError as error:
        said = str(error)
    if said:
        assert "move it away" in said
        assert str(damaged) in said
        damaged.rename(path.with_name("away"))
        verify_and_run_again(path)


def verify_and_run_again(path: Path) -> None:
    """Afterwards all is as if nothing had happened."""
    truths = [Truth.of(new_campaign()), Truth.of(OTHER, seed=4)]
    with closing(Store.open(path)) as store:
        with store.lock():
            for status in store.campaigns():
                store.verify(status.id, lambda _done, _parts: None)
            for campaign, truth in enumerate(truths, start=1):
                assert store.find_or_create(truth.new).id == campaign
                store.restore(campaign, truth.new)
                writer = store.writer(campaign)
                write(writer, truth, PLAN if campaign == 1 else ONE_PART)
                if store.campaign(campaign).state != "finished":
                    writer.seal()
        assert [status.state for status in store.campaigns()] == ["finished"] * 2
        with store.lock():
            assert [store.verify(campaign, lambda _done, _parts: None) for campaign in (1, 2)] == [[], []]
    with SqlSession(path) as session:
        for view, rows in (("severity", Truth.severities), ("fault_summary", Truth.fault_summaries)):
            for campaign, truth in enumerate(truths, start=1):
                query = f"SELECT * EXCLUDE campaign FROM {view} WHERE campaign = {campaign} ORDER BY ALL"
                assert list(session.query(query)) == rows(truth)
        found = session.query("SELECT campaign, state, pairs_done FROM campaigns ORDER BY 1")
        assert list(found) == [(1, "finished", 180), (2, "finished", 180)]


CASES = [
    pytest.param(file, damage, marks=[pytest.mark.slow] * ((row + column) % 3 > 0), id=f"{file}-{damage.__name__}")
    for row, file in enumerate(FILES)
    for column, damage in enumerate(DAMAGES)
]
"""Every third one is always tried: each file in two or three ways, and each way on files of all kinds."""


@pytest.mark.parametrize(("file", "damage"), CASES)
def test_a_damaged_file_is_said_in_a_sentence_and_mended(
    tmp_path: Path, whole: Path, file: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "store"
    shutil.copytree(whole, path)
    damage(path / file)
    ask_everything(path, tmp_path)
    check_mended(path, path / file)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
@pytest.mark.parametrize("instead", [None, "a file"])
def test_a_lost_folder_is_said_in_a_sentence_and_made_again(
    tmp_path: Path, whole: Path, folder: Path, instead: str | None
) -> None:
    path = tmp_path / "store"
    shutil.copytree(whole, path)
    shutil.rmtree(path / folder)
    if instead:
        (path / folder).write_text(instead)
    ask_everything(path, tmp_path)
    check_mended(path, path / folder)


@pytest.mark.parametrize("file", ["campaign.json", "faults.parquet"])
@pytest.mark.parametrize("damage", [Path.unlink, truncated, altered, a_folder], ids=lambda damage: damage.__name__)
def test_with_state_sqlite_lost_too_the_other_campaign_is_whole_and_this_one_is_taken_up_again(
    tmp_path: Path, whole: Path, file: str, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "store"
    shutil.copytree(whole, path)
    damage(path / CAMPAIGN / file)
    (path / "state.sqlite").unlink()
    parts = sorted(part.name for part in (path / CAMPAIGN / "severity").iterdir())
    store = Store.open(path)
    with store.lock():
        assert {2} <= {status.id for status in store.campaigns()}
    with SqlSession(path) as session:
        assert (2, "finished", 180) in list(session.query("SELECT campaign, state, pairs_done FROM campaigns"))
    store.close()
    check_mended(path, path / CAMPAIGN / file)
    assert sorted(part.name for part in (path / CAMPAIGN / "severity").iterdir()) == parts, "no part was run again"


def test_every_kind_of_file_of_a_store_is_damaged_here(whole: Path) -> None:
    store = Store.open(whole, read_only=True)
    tried = {file.name if file.parent.name in ("", ".") else "/".join(file.parts[2:]) for file in FILES}
    found = {
        path.relative_to(whole).as_posix().removeprefix(f"{CAMPAIGN}/")
        for path in whole.rglob("*")
        if path.is_file() and "campaign=000000" not in path.parts and "campaign=000002" not in path.parts
    }
    store.close()
    parts = {f"{table}/{PART}" for table in ("severity", "critical", "fault_summary", "image_summary")}
    assert {name for name in found if "part-" not in name and not name.startswith("state.sqlite-")} | parts <= tried


def test_damaged_texts_of_state_sqlite_cost_what_they_say_and_no_more(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "store"
    shutil.copytree(whole, path)
    with closing(Store.open(path)) as store:
        change_state(store, "UPDATE campaigns SET started = 'often', finished = '' WHERE id = 1")
        change_state(store, """UPDATE receipts SET statistics = iif(part = 0, '{"a', '[1]') WHERE campaign = 1""")
        assert all(receipt.statistics == {} for receipt in store.receipts(1))
    with SqlSession(path) as session:
        query = "SELECT campaign, started IS NULL, finished IS NULL FROM campaigns ORDER BY ALL"
        assert list(session.query(query)) == [(1, True, True), (2, True, False)]  # 2 was never running
    with closing(Store.open(path, read_only=True)) as store:
        out = tmp_path / "out"
        out.mkdir()
        assert "campaigns" in list(export_tables(store, 1, "csv", out))
    with closing(Store.open(path)) as store, store.lock():
        assert store.verify(1, lambda _done, _parts: None) == []


@pytest.mark.parametrize("lost", ["", "campaign.json", "faults.parquet", f"severity/{PART}"])
@pytest.mark.parametrize("is_verified", [False, True])
def test_of_several_campaigns_of_one_config_the_damaged_one_is_run_again(
    tmp_path: Path, lost: str, is_verified: bool
) -> None:
    """As --again makes them: what `verify` says of the older one is to be true, too."""
    store, first, truth = filled_store(tmp_path, PLAN)
    with store.lock():
        store.writer(first).seal()
        second = store.create(truth.new)
        write(store.writer(second), truth, PLAN)
        store.writer(second).seal()
        found = store.find(truth.new.fingerprint)
        assert found is not None
        assert found.id == second, "the newest, where all are whole"
        files = store.layout.campaign(first).folder
        shutil.rmtree(files / lost) if not lost else (files / lost).unlink()
        if is_verified:
            assert "running its config again fixes it" in store.verify(first, lambda _done, _parts: None)[0]
        elif "part" in lost or "parquet" in lost:
            return  # nobody has seen it yet
        assert store.find_or_create(truth.new).id == first
        store.restore(first, truth.new)
        write(store.writer(first), truth, PLAN)
        if store.campaign(first).state != "finished":
            store.writer(first).seal()
        sealed_anew = [f"{files}/campaign.duckdb: missing; made again from the parts"]
        assert store.verify(first, lambda _done, _parts: None) in ([], sealed_anew)
        assert store.find_or_create(truth.new).id == second
