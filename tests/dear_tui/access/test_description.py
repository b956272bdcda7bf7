"""Table I and the audit in words."""

from __future__ import annotations

from dear_tui.access.description import audit_lines, table_one_lines
from engine.analysis.audit import AuditResults, bound_missed
from engine.analysis.tables import TableOneRow
from tests.dear_tui.memory_store import make_status


def test_table_one_of_a_screened_campaign_says_what_was_run_and_what_was_not() -> None:
    status = make_status(7, masked=10, non_critical=20, critical=5, screened=65)
    lines = table_one_lines(status, TableOneRow(99.0, 98.0, 10.0, 20.0, 5.0, 3, screened=65.0))
    assert [name for name, *_ in lines][2:7] == ["masked", "non-critical", "screened", "not critical", "critical"]
    found = {name: (value, of) for name, value, of in lines}
    assert found["masked"] == ("≥ 10.00 %", "10 pairs")
    assert found["screened"] == ("65.00 %", "65 pairs")
    assert found["not critical"] == ("95.00 %", "95 pairs")


def test_table_one_of_a_campaign_that_was_run_is_as_it_was() -> None:
    lines = table_one_lines(make_status(7, done=10), TableOneRow(99.0, 98.0, 84.2, 15.22, 0.58, 3))
    assert [name for name, *_ in lines] == [
        *("clean accuracy", "faulty accuracy", "masked", "non-critical", "critical", "critical faults")
    ]
    assert not any("≥" in value for _, value, _ in lines)


def test_the_audit_says_what_is_missed_at_most() -> None:
    lines = audit_lines(AuditResults(bound_missed(870_317, 17_297, 0), bound_missed(2_950, 60, 1)))
    assert lines[:2] == [("missed pairs", "≤ 151", "of 870,317 skipped"), ("audited pairs", "17,297", "0 missed")]
    assert lines[3] == ("audited faults", "60", "1 missed")


def test_the_audit_says_how_much_the_exact_change_screened() -> None:
    lines = audit_lines(AuditResults(bound_missed(1_000, 17, 0), bound_missed(29, 6, 1), by_change=250))
    assert lines[0] == ("by exact change", "25 %", "250 of 1,000 screened")
