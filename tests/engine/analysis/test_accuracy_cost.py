"""What faults cost in accuracy, beside what "critical" says."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.accuracy_cost import COSTS, CRITICAL, CRITICAL_RIGHT, EFFECTS, HELPS, FaultEffects, cost_table
from engine.analysis.estimate import Share

FOUND = FaultEffects(
    critical=np.array([0, 1, 1, 30, 30, 8]),
    cost=np.array([0, -1, 1, 2, 22, 0]),
    is_right_lost=np.array([False, False, True, True, True, False]),
    images=100,
)


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        (CRITICAL.name, [1, 2, 3, 4, 5]),
        (CRITICAL_RIGHT.name, [2, 3, 4]),
        ("cost", [2, 3, 4]),
        ("cost_over_1", [3, 4]),
        ("cost_over_5", [4]),
        ("cost_over_20", [4]),
        (HELPS.name, [1]),
    ],
)
def test_each_effect_has_its_faults(name: str, faults: list[int]) -> None:
    effect = next(each for each in EFFECTS if each.name == name)
    assert np.flatnonzero(FOUND.have(effect)).tolist() == faults
    assert FOUND.counts()[name] == len(faults)


def test_a_cost_of_just_so_many_points_is_not_more() -> None:
    """In floats 100 * 29 / 10,000 * 100 is above 29."""
    found = FaultEffects(np.array([500]), np.array([500]), np.array([True]), 10_000)
    assert [bool(found.have(effect)[0]) for effect in COSTS] == [True, True, False, False]


def test_the_table_has_a_row_for_each_effect_and_intervals_where_there_are_some() -> None:
    table = cost_table(6, FOUND.counts(), {"cost": Share(0.4, 0.3, 0.5)}, 0.99)
    assert [row[0] for row in table.rows] == [effect.words for effect in EFFECTS]
    rows = dict(zip((effect.name for effect in EFFECTS), table.texts(), strict=True))
    assert rows["cost"][1:] == ["40.00 %", "30.00 %", "50.00 %", "3", "6"]
    assert rows["helps"][1:] == ["16.67 %", "-", "-", "1", "6"]
