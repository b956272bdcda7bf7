"""Critical faults so far, and Table I, from the committed parts."""

from pathlib import Path

import numpy as np
import pytest

from engine.analysis.tables import table_one
from engine.store import Store
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign


@pytest.mark.parametrize("parts", [0, 1, 3, 4])
def test_critical_faults_are_counted_over_the_committed_parts(tmp_path: Path, parts: int) -> None:
    store, campaign, truth = filled_store(tmp_path / "store", PLAN[:parts])
    seen = np.zeros_like(truth.severity, dtype=bool)
    for rank_start, rank_stop, fault_start, fault_stop in PLAN[:parts]:
        seen[fault_start:fault_stop, rank_start:rank_stop] = True
    expected = int(((truth.severity == 2) & seen).any(axis=1).sum())
    assert len(store.critical_fault_ids(campaign)) == expected
    assert len(Store.open(tmp_path / "store", read_only=True).critical_fault_ids(campaign)) == expected


def test_table_one_is_that_of_the_summary(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path / "store")
    summary = store.summary(campaign)
    assert store.table_one(campaign) == table_one(
        summary.non_critical,
        summary.critical,
        summary.correct,
        summary.golden_correct[summary.workload],
        summary.weight,
    )


def test_without_a_critical_pair_no_file_is_opened(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    assert len(store.critical_fault_ids(store.create(Truth.of(new_campaign()).new))) == 0
