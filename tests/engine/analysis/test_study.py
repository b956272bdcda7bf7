"""Campaigns side by side: what sets them apart."""

from __future__ import annotations

from engine.analysis.study import factor_text, what_differs
from engine.config.campaign_config import DEFAULTS

ONE = {"name": "one", "model": {"arch": "lenet5"}, "faults": {"seed": 1, "layers": ["fc1", "fc2"]}}


def test_what_differs_is_what_not_all_say_or_mean_alike() -> None:
    default = DEFAULTS["run"]["method"]
    other = {"name": "two", "model": {"arch": "lenet5"}, "faults": {"seed": 1}, "run": {"method": default}}
    assert what_differs([ONE, other]) == [
        {"name": "one", "faults.layers": ["fc1", "fc2"]},
        {"name": "two", "faults.layers": None},
    ]
    assert what_differs([ONE, ONE]) == [{}, {}]
    assert what_differs([ONE, {}])[1]["model.arch"] is None, "a damaged one says nothing"


def test_a_value_in_a_cell() -> None:
    assert [factor_text(value) for value in (["fc1", "fc2"], None, 3)] == ["fc1, fc2", "-", "3"]
