"""What protecting bits costs and leaves: against sets tried one by one, and with known costs."""

from __future__ import annotations

import csv
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.analysis.estimate import Confidence
from engine.analysis.protection import (
    SCHEMES,
    CellGroup,
    CriticalSample,
    Scheme,
    frontier,
    groups_table,
    plan_within,
    plans_table,
    write_frontiers,
)

if TYPE_CHECKING:
    from pathlib import Path

TMR, DUPLICATION, PARITY, SEC_DED = SCHEMES


def sample(seed: int = 0, faults: int = 200) -> CriticalSample:
    """Two layers of 4-bit weights, of which the second is ten times as large; drawn from each layer by itself."""
    random = np.random.default_rng(seed)
    layer = np.repeat([0, 1], faults // 2)
    bit = random.integers(0, 4, faults)
    return CriticalSample(
        critical=random.integers(0, 11, faults) * (random.random(faults) < 0.2 * bit),
        images=10,
        layer=layer,
        bit=bit,
        stratum=layer,
        population=np.array([400, 4000]),
        weight=np.array([4.0, 40.0])[layer],
        names=("small", "large"),
        weights=np.array([100, 1000]),
        bits=4,
        confidence=Confidence(0.99),
    )


def residual(of: CriticalSample, protected: set[tuple[int, int]]) -> float:
    left = [
        0 if (layer, bit) in protected else critical
        for layer, bit, critical in zip(of.layer.tolist(), of.bit.tolist(), of.critical.tolist(), strict=True)
    ]
    return float((np.array(left) * of.weight).sum() / of.weight.sum() / of.images)


def total(groups: list[CellGroup]) -> float:
    return sum(group.cost for group in groups)


def test_costs_are_those_of_the_schemes() -> None:
    of = sample()
    kinds = len({(layer, bit) for layer, bit in zip(of.layer[of.critical > 0], of.bit[of.critical > 0], strict=True)})
    stored = sum(of.weights[group.layer] for group in frontier(of, DUPLICATION))
    assert len(frontier(of, DUPLICATION)) == kinds
    assert total(frontier(of, DUPLICATION)) == pytest.approx(stored / 4400)
    assert total(frontier(of, TMR)) == pytest.approx(2 * stored / 4400)
    assert total(frontier(of, PARITY)) == pytest.approx(1100 / 4400)
    assert total(frontier(of, SEC_DED)) == pytest.approx(7 * 1100 / 4400)
    for scheme in SCHEMES:
        assert sum(group.removed for group in frontier(of, scheme)) == pytest.approx(residual(of, set()))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_set_that_stores_as_little_leaves_less(scheme: Scheme) -> None:
    of = sample()
    groups = frontier(of, scheme)
    cells = [{(group.layer, one) for one in ([group.bit] if group.bit is not None else range(4))} for group in groups]
    nothing = residual(of, set())
    for group, bits in zip(groups, cells, strict=True):
        assert nothing - group.removed == pytest.approx(residual(of, bits))
    starts = [(total(groups[:count]), residual(of, set().union(*cells[:count]))) for count in range(1, len(groups) + 1)]
    for size in range(1, len(groups) + 1):
        for some in combinations(range(len(groups)), size):
            cost, left = total([groups[place] for place in some]), residual(of, set().union(*(cells[p] for p in some)))
            assert all(left >= best - 1e-12 for most, best in starts if cost <= most)


def test_a_plan_keeps_to_its_budget_and_has_an_interval() -> None:
    of = sample()
    none, some, every = (plan_within(of, TMR, budget) for budget in (0.0, 0.3, 10.0))
    assert (none.groups, none.overhead) == ((), 0)
    assert none.residual.value == pytest.approx(residual(of, set()))
    assert 0 < some.overhead <= 0.3
    assert some.residual.value == pytest.approx(residual(of, {(each.layer, each.bit or 0) for each in some.groups}))
    assert some.residual.low < some.residual.value < some.residual.high <= none.residual.high
    assert every.residual.value == 0
    assert every.residual.high > 0, "of no critical fault in a sample there may be some"


def test_nothing_critical_needs_no_protection() -> None:
    of = sample()
    harmless = CriticalSample(**{**vars(of), "critical": np.zeros(len(of.layer), np.int64)})
    for scheme in SCHEMES:
        assert frontier(harmless, scheme) == []
        assert plan_within(harmless, scheme, 1.0).residual.value == 0


def test_tables_and_files_have_a_row_for_each_step(tmp_path: Path) -> None:
    of = sample()
    plans = [plan_within(of, scheme, 0.5) for scheme in SCHEMES]
    rows = plans_table(of, plans, 0.5).rows
    assert [row[0] for row in rows] == ["nothing", *(scheme.name for scheme in SCHEMES)]
    shown = groups_table(of, plans[0]).rows
    assert [row[0] for row in shown] == [of.names[group.layer] for group in plans[0].groups]
    assert shown[-1][2:] == pytest.approx((100 * plans[0].overhead, 100 * plans[0].residual.value))
    write_frontiers(tmp_path / "frontier.csv", of)
    with (tmp_path / "frontier.csv").open() as file:
        written = list(csv.DictReader(file))
    assert len(written) == sum(len(frontier(of, scheme)) for scheme in SCHEMES)
    assert {row["bit"] for row in written if row["scheme"] == SEC_DED.name} == {""}
