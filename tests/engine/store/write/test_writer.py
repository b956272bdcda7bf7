"""Part sets: what they hold, and what the writer refuses."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from engine.metrics.registry import METRIC_COLUMNS
from engine.store import Span
from engine.store.parquet import write_arrays, write_parquet
from engine.store.schema import COLUMNS, PART_TABLES
from tests.engine.store.stored_campaigns import PLAN, filled_store, write

PLANS = {
    "one part": [(0, 15, 0, 12)],
    "an image at a time": [(rank, rank + 1, 0, 12) for rank in range(15)],
    "a fault at a time": [(0, 15, fault, fault + 1) for fault in range(12)],
    "mixed": PLAN,
    "backwards": PLAN[::-1],
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_the_views_do_not_depend_on_how_the_pairs_are_cut_into_parts(
    tmp_path: Path, plan: list[tuple[int, int, int, int]]
) -> None:
    store, campaign, truth = filled_store(tmp_path, plan)
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:

        def rows(view: str) -> list[tuple[Any, ...]]:
            return client.sql(f"SELECT COLUMNS(* EXCLUDE campaign) FROM {view} ORDER BY ALL").fetchall()

        assert rows("severity") == truth.severities()
        assert rows("critical") == truth.criticals()
        assert rows("fault_summary") == truth.fault_summaries()
        assert rows("image_summary") == truth.image_summaries()
        curve = client.sql("SELECT masked, non_critical, critical FROM curve ORDER BY rank").fetchall()
    assert curve == truth.curve(15)
    status = store.campaign(campaign)
    counts = [int((truth.severity == severity).sum()) for severity in range(3)]
    assert [status.masked, status.non_critical, status.critical] == counts
    assert status.pairs_done == status.pairs


def test_buffered_groups_become_one_part(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, [])
    with store.lock():
        writer = store.writer(campaign)
        for fault_start, fault_stop in ((0, 1), (1, 7), (7, 12)):
            writer.add(0, fault_start, truth.outcomes(0, 15, fault_start, fault_stop))
        assert store.campaign(campaign).pairs_done == 0
        receipt = writer.commit()
        assert receipt is not None
        assert receipt.span == Span(0, 15, 0, 12)
        assert writer.commit() is None
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        assert client.sql("SELECT * EXCLUDE campaign FROM critical ORDER BY ALL").fetchall() == truth.criticals()


def test_a_part_has_its_types_its_place_and_its_hash(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    folder = store.layout.campaign(campaign)
    receipts = store.state.receipts(campaign)
    assert [receipt.span for receipt in receipts] == [Span(*span) for span in PLAN]
    assert not any(receipt.rebuilt for receipt in receipts)
    for receipt in receipts:
        for table in PART_TABLES:
            path = folder.part(table, receipt.part)
            described = duckdb.execute(f"DESCRIBE FROM read_parquet('{path}', hive_partitioning = false)").fetchall()
            assert {name: kind for name, kind, *_ in described} == COLUMNS[table]
            kept = duckdb.execute(f"SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata('{path}')").fetchall()
            expected = {name: str(value) for name, value in vars(receipt.span).items()}
            assert dict(kept) == expected | {"fingerprint": "f00"}
            assert hashlib.sha256(path.read_bytes()).hexdigest() == receipt.sha256[table]
    codecs = duckdb.execute(
        f"SELECT DISTINCT compression FROM parquet_metadata('{folder.part('severity', 0)}')"
    ).fetchall()
    assert codecs == [("ZSTD",)]
    assert not list(tmp_path.rglob("*.tmp"))


def test_row_groups_are_large(tmp_path: Path) -> None:
    rows = 2_100_000
    columns = [np.arange(rows, dtype=np.uint32), np.zeros(rows, np.uint32), np.zeros(rows, np.uint8)]
    written = write_arrays(tmp_path / "part.parquet", "severity", dict(zip(COLUMNS["severity"], columns, strict=True)))
    query = "SELECT num_rows, num_row_groups FROM parquet_file_metadata($1)"
    assert duckdb.execute(query, [str(written)]).fetchall() == [(rows, 9)]


@pytest.mark.parametrize("condition", ["isnan(x)", "x = 'NaN'", "x > 1e30", "NOT x <= 3"])
@pytest.mark.parametrize(("table", "column"), [("faults", "faulty_value"), ("images", "el2n")])
def test_a_query_finds_a_value_that_is_not_a_number(tmp_path: Path, table: str, column: str, condition: str) -> None:
    arrays = {name: np.ma.masked_array(np.zeros(3, object), mask=True) for name in COLUMNS[table]}
    write_parquet(tmp_path / "rows.parquet", table, arrays | {column: np.array([1, np.nan, 3], np.float32)})
    rows = duckdb.sql(f"SELECT {column} AS x FROM read_parquet('{tmp_path / 'rows.parquet'}')")
    assert rows is not None
    assert str(rows.filter(condition).fetchall()) == "[(nan,)]"


def test_faults_and_images_are_stored_as_given(tmp_path: Path) -> None:
    store, _, truth = filled_store(tmp_path)
    new, faults = truth.new, truth.new.faults
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        rows = client.sql(
            "SELECT * EXCLUDE (campaign, golden_value, faulty_value, out_channel, in_channel) FROM faults "
            "ORDER BY fault_id"
        ).fetchall()
        values = client.sql("SELECT golden_value, faulty_value FROM faults ORDER BY fault_id").fetchnumpy()
        images = client.sql("SELECT * EXCLUDE campaign FROM images ORDER BY image_id").fetchall()
    assert rows == [
        (
            int(faults.fault_id[position]),
            faults.layers[faults.layer[position]].name,
            int(faults.layer[position]),
            int(faults.weight_index[position]),
            faults.tensor_index()[position],
            int(faults.bit[position]),
            {-1: "bit_flip", 0: "stuck_at_0", 1: "stuck_at_1"}[int(faults.stuck[position])],
            int(new.golden_values.view(np.uint32)[position]),
            int(new.faulty_values.view(np.uint32)[position]),
            0,
            1000 / 12,
            0,
        )
        for position in range(len(faults))
    ]
    np.testing.assert_array_equal(values["golden_value"], new.golden_values)
    np.testing.assert_array_equal(values["faulty_value"], new.faulty_values)
    rank = {int(image): rank for rank, image in enumerate(new.workload)}
    assert images == [
        (
            image,
            rank.get(image),
            int(new.labels[image]),
            int(new.golden_class[image]),
            bool(new.labels[image] == new.golden_class[image]),
            float(new.metrics["el2n"][image]),
            float(new.metrics["deepgini"][image]),
            *[None] * (len(METRIC_COLUMNS) - 2),
        )
        for image in range(20)
    ]


def test_what_is_committed_is_known_to_the_next_writer(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:2])
    with store.lock():
        writer = store.writer(campaign)
        assert writer.done == [Span(*span) for span in PLAN[:2]]
        write(writer, truth, PLAN)
        assert writer.done == [Span(*span) for span in PLAN]
    assert store.notes == []


def test_pairs_that_do_not_belong_are_refused(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:1])
    outcomes = truth.outcomes(2, 9, 0, 5)
    with store.lock():
        writer = store.writer(campaign)
        with pytest.raises(ValueError, match="committed already"):
            writer.add(1, 0, outcomes)
        with pytest.raises(ValueError, match="execution order"):
            writer.add(2, 1, outcomes)
        with pytest.raises(ValueError, match="the workload ends at rank 15"):
            writer.add(9, 0, outcomes)
        with pytest.raises(ValueError, match="other critical pairs"):
            writer.add(2, 0, replace(outcomes, severity=np.full_like(outcomes.severity, 2)))
        writer.add(2, 0, outcomes)
        with pytest.raises(ValueError, match="commit first"):
            writer.add(2, 6, truth.outcomes(2, 9, 6, 12))
        with pytest.raises(ValueError, match="commit first"):
            writer.add(9, 5, truth.outcomes(9, 15, 5, 12))
        receipt = writer.commit()
    assert receipt is not None
    assert receipt.span == Span(2, 9, 0, 5)


def test_a_sealed_campaign_is_the_same_tables_and_needs_nothing_else(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path / "store")
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        views = [name for (name,) in client.sql("SHOW TABLES").fetchall()]
        before = {view: client.sql(f"FROM {view} ORDER BY ALL").fetchall() for view in views}
        columns = {view: client.sql(f"DESCRIBE {view}").fetchall() for view in views}
    with store.lock():
        store.writer(campaign).seal()
    status = store.campaign(campaign)
    assert status.state == "finished"
    assert status.finished is not None
    portable = store.layout.campaign(campaign).sealed.rename(tmp_path / "portable.duckdb")
    store.close()
    for path in sorted(tmp_path.glob("store/**/*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with duckdb.connect(str(portable), read_only=True) as client:
        assert [name for (name,) in client.sql("SHOW TABLES").fetchall()] == views
        assert client.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]
        for view in views:
            assert client.sql(f"DESCRIBE {view}").fetchall() == columns[view]
            if view != "campaigns":
                # NaN is not equal to itself, but its text is
                assert repr(client.sql(f"FROM {view} ORDER BY ALL").fetchall()) == repr(before[view])
        assert client.sql("SELECT state, finished IS NOT NULL FROM campaigns").fetchall() == [("finished", True)]
        tags = client.sql("SELECT tags FROM duckdb_databases() WHERE database_name = 'portable'").fetchall()
    assert tags == [({"storage_version": "v1.2.0+"},)]


def test_the_sealed_file_is_checksummed(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    with store.lock():
        store.writer(campaign).seal()
    sealed = hashlib.sha256(store.layout.campaign(campaign).sealed.read_bytes()).hexdigest()
    assert store.state.sealed_sha256(campaign) == sealed


def test_an_incomplete_campaign_is_not_sealed(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path, PLAN[:3])
    with store.lock(), pytest.raises(ValueError, match="72 pairs are not committed"):
        store.writer(campaign).seal()
    assert not store.layout.campaign(campaign).sealed.exists()
    assert store.campaign(campaign).state == "paused"
