"""Campaigns of very many faults: what is read, sealed and written in pieces is the same, and little for each fault."""

import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from engine.analysis.accuracy_cost import SHOWN, Effect
from engine.conditions import Condition
from engine.config.campaign_config import FaultsConfig
from engine.faults.draw import draw_faults
from engine.faults.group import FaultGroup
from engine.severity import CRITICAL, DROPPED, SCREENED
from engine.store import NewCampaign, Store
from engine.store.read.confusion import confusion_sql
from engine.store.read.fault_results import FAULT_FIELDS, FaultOrder, faults_sql, rates_sql
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
@pytest.mark.parametrize("effect", SHOWN, ids=lambda effect: effect.name)
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


FIELDS = {field.name: field for field in FAULT_FIELDS}
FILTERS = [
    (Condition(FIELDS["layer"], value="FC"),),
    (Condition(FIELDS["layer"], value="it's none"),),
    (Condition(FIELDS["bit"], ">", 15), Condition(FIELDS["bit"], "<=", 30)),
    (Condition(FIELDS["critical"], ">=", 2),),
    (Condition(FIELDS["critical"], "=", 0),),
    (Condition(FIELDS["cost"], ">", 6.5),),
    (Condition(FIELDS["cost"], "<", 0),),
    (Condition(FIELDS["lost"]),),
    (Condition(FIELDS["nonfinite"]), Condition(FIELDS["bit"], "<", 25)),
]


@pytest.mark.parametrize("parts", [0, 2, len(PLAN)])
@pytest.mark.parametrize("having", FILTERS, ids=lambda having: " ".join(condition.sql for condition in having)[:30])
def test_a_filtered_list_is_what_sql_lists(tmp_path: Path, parts: int, having: tuple[Condition, ...]) -> None:
    store, campaign, _ = filled_store(tmp_path / "store", PLAN[:parts], PARTLY)
    with SqlSession(tmp_path / "store") as session:
        for group in (FaultGroup(having=having), FaultGroup("fc1", having=having)):
            expected = [row[0] for row in session.query(faults_sql(campaign, group, "cost"))]
            listed = store.faults(campaign, group, "cost")
            assert (listed.fault_id.tolist(), listed.total) == (expected, len(expected))


@pytest.mark.parametrize("having", [(), FILTERS[2]], ids=["all", "filtered"])
@pytest.mark.parametrize("order", ["critical", "cost", "first_critical", "fault_id", "prediction"])
def test_the_faults_that_flip_an_image_are_what_sql_lists(
    tmp_path: Path, order: FaultOrder, having: tuple[Condition, ...]
) -> None:
    store, campaign, truth = filled_store(tmp_path / "store", PLAN, PARTLY)
    with SqlSession(tmp_path / "store") as session:
        for rank, image in enumerate(truth.new.workload):
            group = FaultGroup(image_id=int(image), having=having)
            expected = list(session.query(faults_sql(campaign, group, order)))
            listed = store.faults(campaign, group, order)
            assert listed.flips is not None
            assert (listed.fault_id.tolist(), listed.total) == ([row[0] for row in expected], len(expected))
            assert listed.flips.prediction.tolist() == [row[-2] for row in expected]
            assert listed.flips.nonfinite.tolist() == [row[-1] for row in expected]
            if not having:
                assert listed.total == (truth.severity[:, rank] == CRITICAL).sum()
                assert listed.flips.golden_class == truth.new.golden_class[image] or not expected


@pytest.mark.parametrize(
    "group", [FaultGroup(), FaultGroup("fc1"), FaultGroup(having=FILTERS[2]), FaultGroup("conv1", having=FILTERS[8])]
)
def test_the_confusion_of_classes_is_what_sql_counts(tmp_path: Path, group: FaultGroup) -> None:
    store, campaign, truth = filled_store(tmp_path / "store", PLAN, PARTLY)
    confusion = store.confusion(campaign, group)
    ids = store.faults(campaign, group, "fault_id").fault_id
    pairs, nonfinite = Counter(), Counter()  # type: ignore[var-annotated]
    for row, rank in zip(*np.nonzero(truth.severity == CRITICAL), strict=True):
        if truth.fault_ids[row] in ids:
            golden = int(truth.new.golden_class[truth.new.workload[rank]])
            if truth.nonfinite[row, rank]:
                nonfinite[golden] += 1
            else:
                pairs[golden, int(truth.prediction[row, rank])] += 1
    assert {tuple(cell): confusion.pairs[tuple(cell)] for cell in np.argwhere(confusion.pairs).tolist()} == pairs
    assert {int(golden): confusion.nonfinite[golden] for golden in np.flatnonzero(confusion.nonfinite)} == nonfinite
    with SqlSession(tmp_path / "store") as session:
        counted = list(session.query(confusion_sql(campaign, group)))
    assert sum(row[2] + row[3] for row in counted) == confusion.total.sum() == pairs.total() + nonfinite.total()


def test_no_critical_pair_is_no_class(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path / "store", [], PARTLY)
    assert store.confusion(campaign, FaultGroup()).classes == 0


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
            rows.append(client.sql("FROM faults ORDER BY fault_id").fetchall())
    assert rows[0] == rows[1]
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
