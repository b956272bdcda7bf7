"""Campaigns of very many faults: what is read, sealed and written in pieces is the same, and little for each fault."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from engine.analysis.accuracy_cost import EFFECTS, Effect
from engine.config.campaign_config import FaultsConfig
from engine.faults.draw import draw_faults
from engine.faults.group import FaultGroup
from engine.severity import DROPPED, SCREENED
from engine.store import NewCampaign, Store
from engine.store.read.fault_results import FaultOrder, faults_sql, rates_sql
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import LAYERS, PLAN, Truth, filled_store, new_campaign, partly_run

WHOLE, PARTLY = Truth.of(new_campaign()), partly_run()
FEW = replace(
    PARTLY, severity=np.where(np.arange(15) % 5 > 0, [[SCREENED], [DROPPED]] * 6, PARTLY.severity), audited=()
)
"""of which most pairs were not run"""

SEALED = ("severity", "fault_summary", "image_summary", "critical", "curve", "faults", "accuracy_cost")
BYTES_ON_DISK, BYTES_IN_MEMORY = 3, 30
"""of the list, for each fault, at most; of the memory only what is taken beside the list"""


@pytest.mark.parametrize("truth", [WHOLE, PARTLY, FEW], ids=["whole", "partly", "few"])
@pytest.mark.parametrize("most", [1, 6, 10**6])
def test_a_campaign_sealed_in_pieces_has_all_that_its_views_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, truth: Truth, most: int
) -> None:
    monkeypatch.setattr("engine.store.write.seal.MOST_TURNED", most)
    monkeypatch.setattr("engine.store.write.seal.FAULTS_AT_ONCE", most)
    monkeypatch.setattr("engine.store.read.fault_totals.ROWS_AT_ONCE", most)
    store, campaign, _ = filled_store(tmp_path / "store", truth=truth)
    with store.lock():
        store.writer(campaign).seal()
    with (
        duckdb.connect(str(store.layout.catalogue), read_only=True) as views,
        duckdb.connect(str(store.layout.campaign(campaign).sealed), read_only=True) as sealed,
    ):
        for table in SEALED:
            rows, types = (
                [client.sql(query).fetchall() for client in (views, sealed)]
                for query in (f"FROM {table} ORDER BY ALL", f"DESCRIBE {table}")
            )
            assert str(rows[0]) == str(rows[1]), table  # NaN are alike here
            assert [row[:2] for row in types[0]] == [row[:2] for row in types[1]], table


@pytest.mark.parametrize("at_once", [1, 10**6])
@pytest.mark.parametrize("parts", [0, 2, len(PLAN)])
@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_what_is_added_up_here_is_what_sql_adds_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int, at_once: int, effect: Effect
) -> None:
    monkeypatch.setattr("engine.store.read.fault_totals.ROWS_AT_ONCE", at_once)
    store, campaign, _ = filled_store(tmp_path / "store", PLAN[:parts], PARTLY)
    rates = store.rates(campaign, effect)
    with SqlSession(tmp_path / "store") as session:
        for layer, _, bit, *counts, _ in session.query(rates_sql(campaign, effect)):
            names = ("faults", "run", "critical_faults", "having", "pairs", "critical", "screened")
            assert [int(getattr(rates, name)[layer, bit]) for name in names] == counts
        orders: tuple[FaultOrder, ...] = ("critical", "cost", "first_critical", "fault_id")
        for group in (
            FaultGroup(),
            FaultGroup("fc1"),
            FaultGroup(fault_id=int(PARTLY.fault_ids[2])),
            FaultGroup(bit=3),
        ):
            for order in orders:
                expected = [row[0] for row in session.query(faults_sql(campaign, group, order))]
                listed = store.faults(campaign, group, order)
                assert (listed.fault_id.tolist(), listed.total) == (expected, len(expected))


def test_a_part_that_was_set_aside_is_no_longer_counted(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path / "store")
    before = store.rates(campaign)
    with store.lock():
        store.writer(campaign).withdraw(0, 5)
    after = store.rates(campaign)
    assert after.pairs.sum() < before.pairs.sum() == truth.severity.size
    assert store.curve(campaign).masked.size == 0
    assert len(store.faults(campaign, FaultGroup("no such layer"), "critical")) == 0


def every_fault(layers: tuple[str, ...]) -> NewCampaign:
    faults = draw_faults(FaultsConfig(sampling="exhaustive", layers=layers), LAYERS)
    weights = [np.random.default_rng(layer.index).normal(0, 0.1, layer.size).astype(np.float32) for layer in LAYERS]
    golden = np.array([], np.float32)
    for layer in LAYERS:
        golden = np.concatenate([golden, weights[layer.index][faults.weight_index[faults.layer == layer.index]]])
    faulty = faults.format.faulty_values(golden, faults.bit, faults.stuck)
    return replace(new_campaign(), faults=faults, golden_values=golden, faulty_values=faulty)


def test_a_list_is_written_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = every_fault(("conv1",))
    rows = []
    for at_once in (700, 10**6):
        monkeypatch.setattr("engine.store.write.creation.FAULTS_AT_ONCE", at_once)
        store = Store.open(tmp_path / str(at_once))
        store.create(new)
        with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
            rows.append(client.sql("FROM faults").fetchall())
    assert str(rows[0]) == str(rows[1])
    assert len(rows[0]) == 4800
    assert rows[0][33][1:8] == (33, "conv1", 0, 1, "(0, 0, 0, 1)", 1, "bit_flip")


def test_little_is_written_and_held_for_each_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.write.creation.FAULTS_AT_ONCE", 2**17)
    new, store = every_fault(("fc1",)), Store.open(tmp_path / "store")
    tracemalloc.start()
    try:
        campaign = store.create(new)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert store.layout.campaign(campaign).faults.stat().st_size < BYTES_ON_DISK * len(new.faults)
    assert peak < BYTES_IN_MEMORY * len(new.faults)
