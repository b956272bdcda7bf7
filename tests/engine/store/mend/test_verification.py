"""What `verify` finds, sets aside and mends."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from engine.store import Store
from engine.store.parquet import write_arrays
from engine.store.schema import COLUMNS, PART_TABLES
from tests.engine.store.mend.test_recovery import SPANS, TABLES, complete, flip_a_bit, in_turn, truncate
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

DAMAGES = [truncate, flip_a_bit, Path.unlink]


def finished_store(path: Path) -> tuple[Store, int, Truth]:
    store, campaign, truth = filled_store(path)
    with store.lock():
        store.writer(campaign).seal()
    return store, campaign, truth


def verify(store: Store, campaign: int) -> list[str]:
    """The sentences, without the folder."""
    with store.lock():
        problems = store.verify(campaign, lambda _done, _parts: None)
    return [problem.removeprefix(f"{store.layout.campaign(campaign).folder}/") for problem in problems]


def files(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in (path / "campaigns").rglob("*") if file.is_file()}


def restore_and_complete(store: Store, campaign: int, truth: Truth) -> None:
    """As a run of the campaign's config does."""
    with store.lock():
        store.restore(campaign, truth.new)
    complete(store, campaign, truth)


@pytest.mark.parametrize("plan", [[], PLAN[:3], PLAN], ids=["empty", "unfinished", "whole"])
def test_a_good_campaign_is_left_as_it_is(tmp_path: Path, plan: list[tuple[int, int, int, int]]) -> None:
    store, campaign, _ = filled_store(tmp_path, plan)
    before, status = files(tmp_path), store.campaign(campaign)
    seen: list[tuple[int, int]] = []
    with store.lock():
        assert store.verify(campaign, lambda *progress: seen.append(progress)) == []
    assert seen == [(part, len(plan)) for part in range(1, len(plan) + 1)]
    assert files(tmp_path) == before
    assert store.campaign(campaign) == status


def test_a_good_finished_campaign_stays_finished(tmp_path: Path) -> None:
    store, campaign, _ = finished_store(tmp_path)
    before, status = files(tmp_path), store.campaign(campaign)
    assert verify(store, campaign) == []
    assert files(tmp_path) == before
    assert store.campaign(campaign) == status


@pytest.mark.parametrize(("table", "damage"), in_turn(TABLES, DAMAGES))
def test_a_bad_part_of_a_finished_campaign_is_set_aside_run_again_and_sealed_again(
    tmp_path: Path, table: str, damage: Callable[[Path], object]
) -> None:
    store, campaign, truth = finished_store(tmp_path)
    damage(store.layout.campaign(campaign).part(table, 2))
    said = "missing" if damage is Path.unlink else "damaged"
    assert verify(store, campaign) == [f"{table}/part-000002.parquet: {said}; running its config again fixes it"]
    status = store.campaign(campaign)
    assert (status.state, status.finished, status.pairs_done) == ("paused", None, 180 - SPANS[2].pairs)
    assert status.error == "verify found damage; run it again to fix it"
    assert store.layout.campaign(campaign).parts(table) == [0, 1, 3]
    assert verify(store, campaign) == []
    complete(store, campaign, truth)


def test_every_bad_part_is_named(tmp_path: Path) -> None:
    store, campaign, truth = finished_store(tmp_path)
    layout = store.layout.campaign(campaign)
    flip_a_bit(layout.part("critical", 0))
    truncate(layout.part("severity", 3))
    assert [problem.split(":")[0] for problem in verify(store, campaign)] == [
        "critical/part-000000.parquet",
        "severity/part-000003.parquet",
    ]
    complete(store, campaign, truth)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_sealed_file_is_made_again_from_the_parts(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    store, campaign, truth = finished_store(tmp_path)
    damage(store.layout.campaign(campaign).sealed)
    said = "missing" if damage is Path.unlink else "damaged"
    assert verify(store, campaign) == [f"campaign.duckdb: {said}; made again from the parts"]
    assert store.campaign(campaign).state == "finished"
    assert verify(store, campaign) == []
    complete(store, campaign, truth)


@pytest.mark.parametrize(("file", "damage"), in_turn(["campaign.json", "faults.parquet", "images.parquet"], DAMAGES))
@pytest.mark.parametrize("make", [filled_store, finished_store], ids=["unfinished", "finished"])
def test_what_is_fixed_of_a_campaign_is_written_again_by_the_next_run(
    tmp_path: Path, make: Callable[[Path], tuple[Store, int, Truth]], file: str, damage: Callable[[Path], object]
) -> None:
    store, campaign, truth = make(tmp_path)
    state = store.campaign(campaign).state
    damage(store.layout.campaign(campaign).folder / file)
    said = "missing" if damage is Path.unlink else "damaged"
    assert verify(store, campaign) == [f"{file}: {said}; running its config again fixes it"]
    assert store.campaign(campaign).state == ("paused" if state == "finished" else state)
    assert store.campaign(campaign).pairs_done == 180, "no part was harmed"
    restore_and_complete(store, campaign, truth)
    assert store.notes == [f"{store.layout.campaign(campaign).folder}/{file}: missing; written again"]
    assert verify(store, campaign) == []
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        assert client.sql("SELECT state, faults FROM campaigns").fetchall() == [("finished", 12)]


@pytest.mark.parametrize("file", ["campaign.json", "faults.parquet", "images.parquet"])
def test_a_run_notices_by_itself_what_is_damaged(tmp_path: Path, file: str) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:2])
    folder = store.layout.campaign(campaign).folder
    before = (folder / file).read_bytes()
    flip_a_bit(folder / file)
    restore_and_complete(store, campaign, truth)
    assert store.notes == [f"{folder / file}: damaged; written again"]
    assert (folder / f"{file}.bad").exists()
    if file != "campaign.json":
        assert (folder / file).read_bytes() == before


def rewrite(path: Path, table: str, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the rows of a part as somebody with a Parquet library would, its metadata kept."""
    metadata = dict(
        duckdb.execute(f"SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata('{path}')").fetchall()
    )
    columns = duckdb.execute(f"FROM read_parquet('{path}', hive_partitioning = false)").fetchnumpy()
    change(columns)
    write_arrays(path, table, columns, metadata).replace(path)


def less_severe(columns: dict[str, np.ndarray]) -> None:
    columns["severity"][columns["severity"] == 2] = 0


def one_row_twice(columns: dict[str, np.ndarray]) -> None:
    for column in columns.values():
        column[1] = column[0]


def one_row_less(columns: dict[str, np.ndarray]) -> None:
    for name in columns:
        columns[name] = columns[name][:-1]


def miscounted(columns: dict[str, np.ndarray]) -> None:
    columns["masked"] = columns["masked"] + 1


def another_image(columns: dict[str, np.ndarray]) -> None:
    columns["image_id"] = columns["image_id"] ^ 1


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("severity", less_severe, "does not agree with the severities"),
        ("severity", one_row_twice, "not each fault with each image, fault after fault"),
        ("critical", another_image, "does not agree with the severities"),
        ("critical", one_row_less, "does not agree with the severities"),
        ("fault_summary", miscounted, "does not agree with the severities"),
        ("image_summary", one_row_twice, "does not agree with the severities"),
    ],
)
def test_rows_that_do_not_agree_are_found_even_without_a_hash(
    tmp_path: Path, table: str, change: Callable[[dict[str, np.ndarray]], None], said: str
) -> None:
    """After the loss of state.sqlite there is no other proof."""
    store, campaign, truth = finished_store(tmp_path)
    store.close()
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    rewrite(store.layout.campaign(campaign).part(table, 1), table, change)
    store = Store.open(tmp_path)
    assert len(store.state.receipts(campaign)) == 4
    (problem,) = verify(store, campaign)
    assert said in problem
    complete(store, campaign, truth)


def test_a_pair_in_no_part_is_missed(tmp_path: Path) -> None:
    store, campaign, truth = finished_store(tmp_path)
    layout = store.layout.campaign(campaign)
    for table in PART_TABLES:
        layout.part(table, 1).unlink()
    store.state.remove_receipt(campaign, 1)
    (problem,) = verify(store, campaign)
    assert problem.endswith(": 35 pairs are in no part; running its config again fixes it")
    complete(store, campaign, truth)


def test_a_pair_in_two_parts_is_counted_once(tmp_path: Path) -> None:
    store, campaign, truth = finished_store(tmp_path)
    layout = store.layout.campaign(campaign)
    receipt = store.state.receipts(campaign)[1]
    for table in PART_TABLES:
        layout.part(table, 9).write_bytes(layout.part(table, 1).read_bytes())
    store.state.add_receipt(campaign, type(receipt)(**vars(receipt) | {"part": 9}))
    (problem,) = verify(store, campaign)
    assert problem.startswith("severity/part-000001.parquet: its pairs are in another part, too")
    complete(store, campaign, truth)


def test_campaigns_are_verified_one_by_one(tmp_path: Path) -> None:
    store, first, _ = filled_store(tmp_path)
    with store.lock():
        second = store.create(new_campaign(fingerprint="other", seed=2))
        write(store.writer(second), Truth.of(new_campaign(fingerprint="other", seed=2)), PLAN)
    flip_a_bit(store.layout.campaign(second).part("severity", 0))
    assert verify(store, first) == []
    assert len(verify(store, second)) == 1


def test_every_table_of_a_part_is_tried_here() -> None:
    assert set(TABLES) == set(PART_TABLES)
    assert COLUMNS.keys() == {*TABLES, "faults", "images", "sites", "audit"}


def test_the_rows_of_a_part_are_rewritten_as_they_were(tmp_path: Path) -> None:
    """Of the helper above: what it changes is only what a test asks for."""
    store, campaign, _ = filled_store(tmp_path)
    path = store.layout.campaign(campaign).part("fault_summary", 0)
    before = duckdb.execute(f"FROM '{path}'").fetchall()
    rewrite(path, "fault_summary", lambda _columns: None)
    assert duckdb.execute(f"FROM '{path}'").fetchall() == before
