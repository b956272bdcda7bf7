"""Pairs that were not run, screened or dropped: no rows, but counts, in everything that counts pairs."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from engine.severity import CRITICAL
from engine.store import Store
from engine.store.read.pairs import NOT_RUN
from engine.store.schema import COUNTS
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

SCREENED, DROPPED = 3, 4
VIEWS = ("fault_summary", "image_summary", "parts", "campaigns")
"""All that count pairs."""


@pytest.fixture(scope="module")
def truth() -> Truth:
    """A fault and an image of which nothing was run, and single pairs of others."""
    whole = Truth.of(new_campaign())
    severity, random = whole.severity.copy(), np.random.default_rng(7)
    not_critical = severity != CRITICAL
    severity[not_critical & (random.random(severity.shape) < 0.4)] = SCREENED
    severity[not_critical & (random.random(severity.shape) < 0.2)] = DROPPED
    severity[4], severity[:, 8] = SCREENED, DROPPED
    return replace(whole, severity=severity)


@pytest.fixture(scope="module")
def kept(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with these pairs in four parts."""
    path = tmp_path_factory.mktemp("not_run") / "store"
    store, campaign, _ = filled_store(path, [])
    with store.lock():
        write(store.writer(campaign), truth, PLAN)
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
        assert len(client.sql("FROM curve").fetchall()) == 15, "a pair that was not run is settled all the same"
    assert rows == run_pairs(truth)
    assert by_image == truth.image_summaries()
    assert [row[:6] for row in faults] == [row[:6] for row in truth.fault_summaries()]


def test_readers_count_them(store: Store, truth: Truth) -> None:
    status = store.campaign(1)
    assert tuple(getattr(status, name) for name in COUNTS) == counts(truth)
    assert (status.pairs_done, status.count(), status.count_run()) == (180, 180, sum(counts(truth)[:3]))
    images = store.image_counts(1)
    assert images.complete.all()
    assert images.screened.tolist() == (truth.severity == SCREENED).sum(axis=0).tolist()
    assert store.summary(1).dropped.sum() == counts(truth)[DROPPED]
    assert store.results.rates(1).pairs.sum() == 180
    assert len(store.curve(1).critical) == 15


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


def test_its_receipts_are_rebuilt(store: Store) -> None:
    before = store.receipts(1)
    store.close()
    for file in store.layout.root.glob("state.sqlite*"):
        file.unlink()
    again = Store.open(store.layout.root)
    assert [replace(receipt, rebuilt=False) for receipt in again.receipts(1)] == before
    assert again.campaign(1).count() == 180


def test_a_list_that_leaves_out_a_critical_pair_is_still_refused(tmp_path: Path, truth: Truth) -> None:
    store, campaign, _ = filled_store(tmp_path, [])
    outcomes = truth.outcomes(0, 15, 0, 12)
    severity = outcomes.severity.copy()
    severity[tuple(np.argwhere(severity == SCREENED)[0])] = CRITICAL
    with store.lock(), pytest.raises(ValueError, match="severity has other critical pairs"):
        store.writer(campaign).add(0, 0, replace(outcomes, severity=severity))


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
