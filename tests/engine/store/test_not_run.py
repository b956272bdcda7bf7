"""Pairs that were not run, screened or dropped: no rows, but counts, in everything that counts pairs."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from engine.severity import COUNTS, CRITICAL, DROPPED, MASKED, SCREENED
from engine.store import Store
from engine.store.export import OPTIONS, export_tables
from engine.store.read.pairs import NOT_RUN
from tests.engine.store.stored_campaigns import AS_PAIR, PLAN, Truth, filled_store, partly_run, write

VIEWS = ("fault_summary", "image_summary", "parts", "campaigns")
"""All that count pairs."""


@pytest.fixture(scope="module")
def truth() -> Truth:
    return partly_run()


@pytest.fixture(scope="module")
def kept(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with these pairs in four parts."""
    path = tmp_path_factory.mktemp("not_run") / "store"
    store, _, _ = filled_store(path, truth=truth)
    store.close()
    return path


@pytest.fixture
def store(kept: Path, tmp_path: Path) -> Store:
    """A copy that may be changed."""
    shutil.copytree(kept, tmp_path / "store")
    return Store.open(tmp_path / "store")


def run_pairs(truth: Truth) -> list[tuple[int, int, int]]:
    return [row for row in truth.severities() if row[2] <= CRITICAL]


def counts(truth: Truth) -> tuple[int, ...]:
    return tuple(int((truth.severity == code).sum()) for code in range(5))


def test_the_five_counts_add_up_in_every_view(store: Store, truth: Truth) -> None:
    sums = ", ".join(f"sum({name})" for name in COUNTS)
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        for view in VIEWS:
            assert client.sql(f"SELECT {sums} FROM {view}").fetchall() == [counts(truth)], view
        assert client.sql("SELECT pairs, pairs_done FROM campaigns").fetchall() == [(180, 180)]
        rows = client.sql("SELECT * EXCLUDE campaign FROM severity ORDER BY ALL").fetchall()
        by_image = client.sql("SELECT * EXCLUDE campaign FROM image_summary ORDER BY ALL").fetchall()
        faults = client.sql("SELECT * EXCLUDE (campaign, correct) FROM fault_summary ORDER BY ALL").fetchall()
        curve = client.sql("SELECT masked, non_critical, critical, screened FROM curve ORDER BY rank").fetchall()
    assert len(curve) == 15, "a pair that was not run is settled all the same"
    assert [row[:3] for row in curve] == truth.curve(15)
    assert {sum(row) for row in curve} == {12}
    assert curve[-1][3] >= 1
    assert rows == run_pairs(truth)
    assert by_image == truth.image_summaries()
    assert faults == [(*row[:6], *row[7:]) for row in truth.fault_summaries()]


def audited_rows(truth: Truth) -> list[tuple[object, ...]]:
    """What the view `audit` must hold of the truth, sorted."""
    ids, images = truth.fault_ids, truth.new.workload
    return sorted(
        (
            int(ids[row]),
            int(images[rank]),
            ("pair", "fault")[drawn_as],
            float(np.float32(row + rank / 100)),
            7,
            severity,
        )
        for row, rank, severity, drawn_as in truth.audited
    )


def test_the_audit_is_in_sql_and_counted(store: Store, truth: Truth) -> None:
    pairs = {(row, rank) for row, rank, *_ in truth.audited}
    status = store.campaign(1)
    assert (status.audited, status.missed) == (len(pairs), 1)
    assert len(pairs) < len(truth.audited), "a pair may be drawn by itself and with its fault"
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        rows = client.sql("SELECT * EXCLUDE campaign FROM audit ORDER BY ALL").fetchall()
    assert sorted(rows) == audited_rows(truth)


def test_the_audit_bounds_what_was_missed(store: Store, truth: Truth) -> None:
    """Pairs that were drawn by themselves are one pool; a whole fault is one draw."""
    audit = store.audit(1)
    assert audit is not None
    single = [severity for _, _, severity, drawn_as in truth.audited if drawn_as == AS_PAIR]
    screened = truth.severity == SCREENED
    assert (audit.pairs.skipped, audit.pairs.audited) == (screened.sum() + 1, len(single))
    assert (audit.pairs.missed, audit.faults.missed) == (1, 0)
    (missed,) = [row for row, _, severity, _ in truth.audited if severity == CRITICAL]
    critical = (truth.severity == CRITICAL).sum(axis=1) - (np.arange(12) == missed)
    skipped = screened.sum(axis=1) + (np.arange(12) == missed)
    assert audit.faults.skipped == np.count_nonzero((critical == 0) & (skipped > 0)) >= 1
    assert audit.faults.audited == 1
    assert audit.pairs.missed_at_most > 1
    assert store.summary(1).audit == audit


def test_a_campaign_all_of_whose_pairs_were_run_has_no_audit(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    assert (store.audit(campaign), store.summary(campaign).audit) == (None, None)


def test_table_one_counts_a_screened_pair_as_the_golden_prediction(store: Store, truth: Truth) -> None:
    row, pairs = store.table_one(1), truth.severity.size
    assert (row.screened, row.dropped) == pytest.approx(tuple(100 * count / pairs for count in counts(truth)[3:]))
    assert row.masked == pytest.approx(100 * counts(truth)[0] / pairs)
    correct = sum(fault[6] for fault in truth.fault_summaries())
    assert row.faulty_accuracy == pytest.approx(100 * correct / pairs)


def test_readers_count_them(store: Store, truth: Truth) -> None:
    status = store.campaign(1)
    assert tuple(getattr(status, name) for name in COUNTS) == counts(truth)
    assert (status.pairs_done, status.count(), status.count_run()) == (180, 180, sum(counts(truth)[:3]))
    images = store.image_counts(1)
    assert images.complete.all()
    assert images.screened.tolist() == (truth.severity == SCREENED).sum(axis=0).tolist()
    assert store.summary(1).dropped.sum() == counts(truth)[DROPPED]
    assert store.rates(1).pairs.sum() == 180
    curve = store.curve(1)
    assert list(zip(*map(list, (curve.masked, curve.non_critical, curve.critical)), strict=True)) == truth.curve(15)
    assert (curve.masked + curve.non_critical + curve.critical + curve.screened).tolist() == [12] * 15


def test_the_severities_of_a_part_stand_where_they_were(store: Store, truth: Truth) -> None:
    for receipt in store.receipts(1):
        span = receipt.span
        expected = truth.severity[span.fault_start : span.fault_stop, span.rank_start : span.rank_stop]
        found = store.severities(1, receipt)
        np.testing.assert_array_equal(found, np.where(expected > CRITICAL, NOT_RUN, expected))


def test_such_a_campaign_is_sealed_and_verified(store: Store, truth: Truth) -> None:
    with store.lock():
        store.writer(1).seal()
        assert store.verify(1, lambda _done, _parts: None) == []
    with duckdb.connect(str(store.layout.campaign(1).sealed), read_only=True) as client:
        rows = client.sql("SELECT * EXCLUDE campaign FROM severity ORDER BY ALL").fetchall()
        assert rows == run_pairs(truth)
        assert client.sql("SELECT screened, dropped FROM campaigns").fetchall() == [counts(truth)[3:]]
        assert sorted(client.sql("SELECT * EXCLUDE campaign FROM audit").fetchall()) == audited_rows(truth)
        assert client.sql("SELECT max(screened) FROM curve").fetchall() == [(store.curve(1).screened.max(),)]


@pytest.mark.parametrize("name", OPTIONS)
def test_every_view_is_exported(store: Store, truth: Truth, tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    list(export_tables(store, 1, name, tmp_path / "out"))
    with duckdb.connect() as client:
        sums = ", ".join(f"sum({column})" for column in COUNTS)
        for view in VIEWS:
            assert client.sql(f"SELECT {sums} FROM '{tmp_path}/out/{view}.{name}'").fetchall() == [counts(truth)], view
        for view, rows in (("severity", run_pairs(truth)), ("audit", audited_rows(truth))):
            assert client.sql(f"SELECT count(*) FROM '{tmp_path}/out/{view}.{name}'").fetchall() == [(len(rows),)]


def test_an_audit_that_is_lost_or_altered_is_found(store: Store, truth: Truth) -> None:
    """Also where state.sqlite, which has the hashes, is lost first."""
    part = next(receipt.part for receipt in store.receipts(1) if receipt.audited)
    file = store.layout.campaign(1).part("audit", part)
    whole = file.read_bytes()
    store.close()
    for state in store.layout.root.glob("state.sqlite*"):
        state.unlink()
    file.unlink()
    again = Store.open(store.layout.root)
    assert part not in [receipt.part for receipt in again.receipts(1)]
    with again.lock():
        write(again.writer(1), truth, PLAN)
        assert again.verify(1, lambda _done, _parts: None) == []
    rewritten = next(each for each in store.layout.campaign(1).parts("audit") if each >= part)
    file = again.layout.campaign(1).part("audit", rewritten)
    file.write_bytes(whole[:-20])
    with again.lock():
        assert [str(file) in problem for problem in again.verify(1, lambda _done, _parts: None)] == [True]


def test_an_audit_of_other_rows_than_the_severities_is_found(store: Store) -> None:
    """Rebuilt receipts hash whatever they find: then only the rows can tell."""
    receipt = next(receipt for receipt in store.receipts(1) if receipt.audited)
    file = store.layout.campaign(1).part("audit", receipt.part)
    with duckdb.connect() as client:
        client.sql(
            f"COPY (SELECT * REPLACE (image_id + 1 AS image_id) FROM '{file}') TO '{file}.new' (FORMAT parquet, "
            f"KV_METADATA {{{', '.join(f'{key}: {value!r}' for key, value in footer(client, file).items())}}})"
        )
    Path(f"{file}.new").replace(file)
    store.close()
    for state in store.layout.root.glob("state.sqlite*"):
        state.unlink()
    again = Store.open(store.layout.root)
    with again.lock():
        problems = again.verify(1, lambda _done, _parts: None)
    assert ["does not agree with the severities or with its receipt" in problem for problem in problems] == [True]


def footer(client: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    query = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{file}')"
    return dict(client.sql(query).fetchall())


def test_its_receipts_are_rebuilt(store: Store) -> None:
    before = store.receipts(1)
    store.close()
    for file in store.layout.root.glob("state.sqlite*"):
        file.unlink()
    again = Store.open(store.layout.root)
    assert [replace(receipt, rebuilt=False) for receipt in again.receipts(1)] == before
    assert again.campaign(1).count() == 180
    assert again.campaign(1).audited == sum(receipt.audited for receipt in before) > 0


def test_a_list_that_leaves_out_a_critical_pair_is_still_refused(tmp_path: Path, truth: Truth) -> None:
    store, campaign, _ = filled_store(tmp_path, [])
    outcomes = truth.outcomes(0, 15, 0, 12)
    severity = outcomes.severity.copy()
    severity[tuple(np.argwhere(severity == SCREENED)[0])] = CRITICAL
    with store.lock(), pytest.raises(ValueError, match="severity has other critical pairs"):
        store.writer(campaign).add(0, 0, replace(outcomes, severity=severity))


@pytest.mark.parametrize("audited", [MASKED, CRITICAL])
def test_an_audit_that_the_severities_contradict_is_refused(tmp_path: Path, truth: Truth, audited: int) -> None:
    """A miss must be critical in the severities too, and what is no miss stays screened."""
    store, campaign, _ = filled_store(tmp_path, [])
    row, rank = np.argwhere(truth.severity == (SCREENED if audited == CRITICAL else CRITICAL))[0].tolist()
    wrong = replace(truth, audited=((row, rank, audited, AS_PAIR),))
    with store.lock(), pytest.raises(ValueError, match="audited pairs are neither screened nor critical in both"):
        store.writer(campaign).add(0, 0, wrong.outcomes(0, 15, 0, 12))


def test_what_the_second_stage_screened_is_kept_for_each_part(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, [], truth=partly_run())
    with store.lock():
        writer = store.writer(campaign)
        writer.add(0, 0, replace(truth.outcomes(0, 15, 0, 6), screened_by_change=2))
        writer.add(0, 6, replace(truth.outcomes(0, 15, 6, 12), screened_by_change=3))
        receipt = writer.commit(1.5, {"theta": 0.3})
    assert receipt is not None
    assert receipt.statistics == {"theta": 0.3, "screened_by_change": 5}
    audit = store.audit(campaign)
    assert audit is not None
    assert audit.by_change == 5


def test_what_is_known_of_a_part_is_in_sql_and_in_its_receipt(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, [])
    with store.lock():
        writer = store.writer(campaign)
        writer.add(0, 0, truth.outcomes(0, 15, 0, 12))
        receipt = writer.commit(1.5, {"tau": 1e-6, "batch_floor": 16})
    assert receipt is not None
    assert store.receipts(campaign) == [receipt]
    assert (receipt.seconds, receipt.statistics) == (1.5, {"tau": 1e-6, "batch_floor": 16})
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        found = client.sql("SELECT part, seconds, engine, statistics->>'batch_floor' FROM parts").fetchall()
    assert found == [(0, 1.5, None, "16")]
