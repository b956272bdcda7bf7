"""What the faults and the images of a campaign showed, against every pair of it, part by part."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.analysis.accuracy_cost import FaultEffects
from engine.analysis.campaign_results import population_shares
from engine.analysis.estimate import Confidence
from engine.conditions import Condition
from engine.errors import InputError
from engine.faults.group import FaultGroup
from engine.store import Store
from engine.store.read.fault_results import NEVER, FaultOrder, Found, critical_images_sql, faults_sql, rates_sql
from engine.store.read.image_results import IMAGE_FIELDS, ImageRows, images_sql, mistakes_sql
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import LAYERS, PLAN, Truth, filled_store, partly_run

GROUPS = [FaultGroup(), FaultGroup(layer="fc1"), FaultGroup(bit=3), FaultGroup(layer="conv1", bit=3)]


def known(truth: Truth, plan: list[tuple[int, int, int, int]]) -> np.ndarray:
    """The severities that a plan has stored, -1 elsewhere."""
    stored = np.full(truth.severity.shape, -1)
    for rank_start, rank_stop, fault_start, fault_stop in plan:
        place = np.s_[fault_start:fault_stop, rank_start:rank_stop]
        stored[place] = truth.severity[place]
    return stored


def members(truth: Truth, group: FaultGroup) -> list[int]:
    """The rows of `truth.severity` that belong to a group."""
    faults = truth.new.faults
    order = faults.execution_order()
    return [
        row
        for row, place in enumerate(order)
        if group.layer in (None, LAYERS[faults.layer[place]].name)
        and group.bit in (None, faults.bit[place])
        and group.fault_id in (None, faults.fault_id[place])
    ]


@pytest.mark.parametrize("parts", [0, 1, 2, len(PLAN)])
def test_rates_by_layer_and_bit(tmp_path: Path, parts: int) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:parts])
    rates, stored = store.rates(campaign), known(truth, PLAN[:parts])
    assert rates.layers == ("conv1", "fc1")
    for index, layer in enumerate(LAYERS):
        for bit in range(32):
            rows = members(truth, FaultGroup(layer.name, bit))
            cell = stored[rows]
            assert rates.faults[index, bit] == len(rows)
            assert rates.run[index, bit] == (cell >= 0).any(axis=1).sum()
            assert rates.critical_faults[index, bit] == (cell == 2).any(axis=1).sum()
            assert rates.pairs[index, bit] == (cell >= 0).sum()
            assert rates.critical[index, bit] == (cell == 2).sum()
            assert rates.population[index, bit] == layer.size
    assert rates.faults.sum() == len(truth.new.faults)
    assert rates.confidence == Confidence(0.99)


@pytest.mark.parametrize("parts", [1, len(PLAN)])
def test_rates_at_a_glance_are_the_same_and_not_kept(tmp_path: Path, parts: int) -> None:
    store, campaign, _ = filled_store(tmp_path, PLAN[:parts])
    seen = store.rates_at_a_glance(campaign)
    assert not store._totals
    for name, grid in vars(store.rates(campaign)).items():
        assert np.array_equal(getattr(seen, name), grid), name


def test_findings_are_those_of_the_tables(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    found, summary = store.findings(campaign), store.summary(campaign)
    effects = FaultEffects.of(summary)
    counts, shares = effects.counts(), population_shares(summary, Confidence(0.99), effects)
    assert found.critical == Found(counts["critical_faults"], shares["critical_faults"])
    assert found.costly == Found(counts["cost"], shares["cost"])
    assert found.costing_a_point == counts["cost_over_1"]
    assert found.accuracy == shares["faulty_accuracy"]


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_the_accuracy_is_told_once_no_image_is_open(tmp_path: Path, parts: int) -> None:
    store, campaign, _ = filled_store(tmp_path, PLAN[:parts])
    assert store.findings(campaign).accuracy is None


def test_where_pairs_were_dropped_no_cost_is_told(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path, truth=partly_run())
    found = store.findings(campaign)
    assert (found.costly, found.costing_a_point, found.accuracy) == (None, None, None)


@pytest.mark.parametrize("parts", [0, 2, len(PLAN)])
@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_faults_of_a_group(tmp_path: Path, group: FaultGroup, parts: int) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:parts])
    rows, stored = store.faults(campaign, group, "fault_id"), known(truth, PLAN[:parts])
    expected = sorted(members(truth, group), key=lambda row: truth.fault_ids[row])
    assert rows.fault_id.tolist() == [truth.fault_ids[row] for row in expected]
    assert rows.total == len(rows) == len(expected)
    for name, severity in (("masked", 0), ("non_critical", 1), ("critical", 2)):
        assert getattr(rows, name).tolist() == [(stored[row] == severity).sum() for row in expected]
    first = [next(iter(np.flatnonzero(stored[row] == 2)), NEVER) for row in expected]
    assert rows.first_critical.tolist() == first
    places = [list(truth.new.faults.fault_id).index(fault) for fault in rows.fault_id]
    assert rows.tensor_index.tolist() == [truth.new.faults.tensor_index()[place] for place in places]
    np.testing.assert_array_equal(rows.faulty_value, truth.new.faulty_values[places])
    assert rows.golden_value.dtype == np.float32
    workload = truth.new.workload
    assert rows.golden_right == (truth.new.golden_class == truth.new.labels)[workload].sum()
    for fault, cost in zip(rows.fault_id.tolist(), rows.cost, strict=True):
        images = store.critical_images(campaign, fault)
        assert cost == images.is_right_lost.sum() - images.is_corrected.sum()


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("critical", lambda row: (-row[2], row[0])),
        ("first_critical", lambda row: (np.inf if row[3] == NEVER else row[3], row[0])),
        ("fault_id", lambda row: row[0]),
    ],
)
def test_orders_of_faults(tmp_path: Path, order: FaultOrder, key: Callable[[Any], Any]) -> None:
    store, campaign, _truth = filled_store(tmp_path)
    rows = store.faults(campaign, FaultGroup(), order)
    lines = list(zip(rows.fault_id, rows.masked, rows.critical, rows.first_critical, strict=True))
    assert lines == sorted(lines, key=key)


def test_a_long_list_of_faults_says_how_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.read.fault_results.MOST_ROWS", 5)
    store, campaign, _truth = filled_store(tmp_path)
    rows = store.faults(campaign, FaultGroup(), "critical")
    assert (len(rows), rows.total) == (5, 12)


def test_critical_images_of_a_fault(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    new = truth.new
    for row, fault in enumerate(truth.fault_ids):
        images, ranks = store.critical_images(campaign, int(fault)), np.flatnonzero(truth.severity[row] == 2)
        ids = new.workload[ranks]
        assert images.rank.tolist() == ranks.tolist()
        assert images.image_id.tolist() == ids.tolist()
        assert images.label.tolist() == new.labels[ids].tolist()
        assert images.golden_class.tolist() == new.golden_class[ids].tolist()
        assert images.prediction.tolist() == truth.prediction[row, ranks].tolist()
        assert images.nonfinite.tolist() == truth.nonfinite[row, ranks].tolist()


@pytest.mark.parametrize("parts", [0, 2, len(PLAN)])
def test_images_and_what_they_are_taken_for(tmp_path: Path, parts: int) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:parts])
    images, stored = store.images(campaign, "rank"), known(truth, PLAN[:parts])
    assert images.image_id.tolist() == truth.new.workload.tolist()
    assert images.rank.tolist() == list(range(15))
    assert images.label.tolist() == truth.new.labels[truth.new.workload].tolist()
    assert list(images.metrics) == ["el2n", "deepgini"]  # the third was not computed
    assert images.metrics["deepgini"].tolist() == truth.new.metrics["deepgini"][truth.new.workload].tolist()
    for name, severity in (("masked", 0), ("non_critical", 1), ("critical", 2)):
        assert getattr(images, name).tolist() == (stored == severity).sum(axis=0).tolist()
    for rank, image in enumerate(truth.new.workload):
        rows = np.flatnonzero(stored[:, rank] == 2)
        is_right = (truth.prediction == truth.new.labels[image])[rows, rank] & ~truth.nonfinite[rows, rank]
        golden_is_wrong = truth.new.golden_class[image] != truth.new.labels[image]
        assert images.corrected[rank] == (is_right.sum() if golden_is_wrong else 0)
        mistakes = store.mistakes(campaign, int(image))
        counted = Counter(truth.prediction[rows, rank].tolist())
        expected = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        assert list(zip(mistakes.prediction, mistakes.faults, strict=True)) == expected
        assert mistakes.nonfinite.sum() == truth.nonfinite[rows, rank].sum()


def test_images_by_critical_faults(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    images = store.images(campaign, "critical")
    critical = (truth.severity == 2).sum(axis=0)
    assert images.rank.tolist() == sorted(range(15), key=lambda rank: (-critical[rank], rank))


def is_right(rows: ImageRows) -> np.ndarray:
    return rows.golden_class == rows.label


def condition(name: str, sign: str = "=", value: float | tuple[int, ...] = ()) -> Condition:
    return Condition(next(field for field in IMAGE_FIELDS if field.name == name), sign, value)


@pytest.mark.parametrize(
    ("having", "is_so"),
    [
        ([condition("wrong")], lambda rows: ~is_right(rows)),
        ([condition("right")], is_right),
        ([condition("class", value=(3,))], lambda rows: (rows.label == 3) | (rows.golden_class == 3)),
        ([condition("label", value=(3, 5))], lambda rows: np.isin(rows.label, (3, 5))),
        ([condition("golden", value=(3,))], lambda rows: rows.golden_class == 3),
        ([condition("critical", ">", 1), condition("right")], lambda rows: (rows.critical > 1) & is_right(rows)),
        ([condition("corrected", ">", 0)], lambda rows: rows.corrected > 0),
        ([condition("el2n", ">=", 0.5)], lambda rows: rows.metrics["el2n"] >= 0.5),
    ],
    ids=["wrong", "right", "class", "label", "golden", "critical", "corrected", "el2n"],
)
def test_filters_of_images(tmp_path: Path, having: list[Condition], is_so: Callable[[ImageRows], np.ndarray]) -> None:
    store, campaign, _truth = filled_store(tmp_path)
    every = store.images(campaign, "critical")
    assert store.images(campaign, "critical", tuple(having)).image_id.tolist() == every.image_id[is_so(every)].tolist()


def test_the_queries_run_as_a_user_would_run_them(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path)
    fault, image = int(truth.fault_ids[3]), int(truth.new.workload[0])
    with SqlSession(store.layout.root) as session:
        assert sum(row[3] for row in session.query(rates_sql(campaign))) == 12
        assert len(list(session.query(faults_sql(campaign, FaultGroup("fc1", 3), "critical")))) <= 12
        assert len(list(session.query(critical_images_sql(campaign, fault)))) == (truth.severity[3] == 2).sum()
        assert len(list(session.query(images_sql(campaign, "rank")))) == 15
        counts = [row[1] for row in session.query(mistakes_sql(campaign, image))]
        assert sum(counts) == (truth.severity[:, 0] == 2).sum()


def test_a_layer_may_have_any_name() -> None:
    assert "layer = 'it''s'" in faults_sql(1, FaultGroup(layer="it's"), "critical")


def test_no_such_campaign(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no campaign 9"):
        Store.open(tmp_path).rates(9)
