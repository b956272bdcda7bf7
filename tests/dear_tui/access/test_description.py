"""Table I and the audit in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dear_tui.access.description import audit_lines, outcome_text, table_one_lines
from engine.analysis.audit import AuditResults, bound_missed
from engine.analysis.estimate import Share
from engine.analysis.tables import TableOneRow
from engine.store.read.fault_results import Found
from tests.dear_tui.memory_desk import FINDINGS
from tests.dear_tui.memory_store import make_status


def test_table_one_of_a_screened_campaign_says_what_was_run_and_what_was_not() -> None:
    status = make_status(7, masked=10, non_critical=20, critical=5, screened=65)
    lines = table_one_lines(status, TableOneRow(99.0, 98.0, 10.0, 20.0, 5.0, 3, screened=65.0))
    assert [name for name, *_ in lines][3:8] == ["masked", "non-critical", "screened", "not critical", "critical"]
    found = {name: (value, of) for name, value, of in lines}
    assert found["masked"] == ("≥ 10.00 %", "10 pairs")
    assert found["screened"] == ("65.00 %", "65 pairs")
    assert found["not critical"] == ("95.00 %", "95 pairs")


def test_table_one_of_a_campaign_that_was_run_is_as_it_was() -> None:
    lines = table_one_lines(make_status(7, done=10), TableOneRow(99.0, 98.0, 84.2, 15.22, 0.58, 3))
    assert [name for name, *_ in lines] == [
        *("clean accuracy", "faulty accuracy", "points lost", "masked", "non-critical", "critical", "critical faults")
    ]
    assert lines[1:3] == [
        ("faulty accuracy", "98.00 %", "mean over the faults"),
        ("points lost", "1.00", "clean minus faulty"),
    ]
    assert not any("≥" in value for _, value, _ in lines)


ROW = TableOneRow(99.35, 98.74, 84.2, 15.22, 0.58, 3)


def test_accuracies_have_an_interval_where_they_tell_of_more_faults_than_were_run() -> None:
    assert table_one_lines(make_status(7, done=10), ROW, FINDINGS)[1:3] == [
        ("faulty accuracy", "98.74 %", "98.62–98.84 %, mean"),
        ("points lost", "0.61", "0.51 to 0.73"),
    ]
    for accuracy in (None, Share.known(0.9874)):
        lines = table_one_lines(make_status(7, done=10), ROW, replace(FINDINGS, accuracy=accuracy))
        assert [of for *_, of in lines[1:3]] == ["mean over the faults", "clean minus faulty"]


def test_what_dropped_pairs_would_cost_is_not_told() -> None:
    lines = table_one_lines(make_status(7, done=10, dropped=5), ROW, replace(FINDINGS, costly=None, accuracy=None))
    assert ("faulty accuracy", "98.74 %", "dropped as golden") in lines
    assert not {"points lost", "lower accuracy"}.intersection(name for name, *_ in lines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "1,714 critical faults (10.4 %), accuracy falls by more than a point under 243"),
        ({"costing_a_point": 0}, "1,714 critical faults (10.4 %), accuracy falls by more than a point under none"),
        ({"costing_a_point": None}, "1,714 critical faults (10.4 %)"),
        ({"critical": Found(1, None), "run": 200, "costing_a_point": 1},
         "1 critical fault (0.5 %), accuracy falls by more than a point under 1"),
        ({"critical": Found(0, None), "costing_a_point": 0}, "0 critical faults (0 %)"),
    ],
)  # fmt: skip
def test_the_outcome_says_what_critical_faults_cost(changes: dict[str, Any], words: str) -> None:
    assert outcome_text(make_status(7, done=10), replace(FINDINGS, **changes)) == words


def test_the_outcome_is_of_pairs_where_faults_are_not_known() -> None:
    assert outcome_text(make_status(7, done=10), None) == "0.58 % of its pairs are critical"


def test_the_audit_says_what_is_missed_at_most() -> None:
    lines = audit_lines(AuditResults(bound_missed(870_317, 17_297, 0), bound_missed(2_950, 60, 1)))
    assert lines[:2] == [("missed pairs", "≤ 151", "of 870,317 skipped"), ("audited pairs", "17,297", "0 missed")]
    assert lines[3] == ("audited faults", "60", "1 missed")


def test_the_audit_says_how_much_the_exact_change_screened() -> None:
    lines = audit_lines(AuditResults(bound_missed(1_000, 17, 0), bound_missed(29, 6, 1), by_change=250))
    assert lines[0] == ("by exact change", "25 %", "250 of 1,000 screened")
