"""The tables of a campaign, from what a store holds of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from engine.analysis.audit import AuditResults, bound_missed
from engine.analysis.campaign_results import CampaignResults, accuracy_table, campaign_results, selection_table
from engine.analysis.tables import TableFourRow, TableOneRow

if TYPE_CHECKING:
    from engine.analysis.result_table import Table
    from engine.store import CampaignStatus, CampaignSummary

STATUS = cast(
    "CampaignStatus",
    SimpleNamespace(faults=3, images=4, pairs=12, masked=5, non_critical=4, critical=3, screened=0, dropped=0),
)
SUMMARY = cast(
    "CampaignSummary",
    SimpleNamespace(
        status=STATUS,
        fault_id=np.arange(3),
        masked=np.array([0, 4, 1]),
        non_critical=np.array([3, 0, 1]),
        critical=np.array([1, 0, 2]),
        screened=np.zeros(3, np.int64),
        dropped=np.zeros(3, np.int64),
        audit=None,
        correct=np.array([2, 3, 1]),
        weight=np.ones(3),
        critical_fault=np.array([0, 2, 2]),
        critical_image=np.array([0, 0, 1]),
        workload=np.arange(4),
        golden_correct=np.array([True, True, False, True]),
        metric=np.array([1.2, 0.7, 0.0, 0.0]),
        metrics={"el2n": np.array([1.2, 0.7, 0.0, 0.0]), "flat": np.ones(4)},
        stratum=np.zeros(3, np.int64),
        population=None,
        nonfinite=np.array([0, 0, 1]),
        seconds=None,
        unverified_parts=2,
    ),
)
DESCRIPTION = {"config": {"workload": {"select": "central", "eps": 0.1}}, "numerics": {"check": "20 pairs, 0 differ"}}


def test_results_come_from_summary_and_description() -> None:
    results = campaign_results(SUMMARY, DESCRIPTION)
    assert (results.table_one.clean_accuracy, results.table_one.critical_faults) == (75.0, 2)
    central = next(iter(results.table_four or ()))
    assert (central.percent_of_samples, central.faults_detected, central.seconds_measured) == (25.0, 1, None)
    assert (results.nonfinite_pairs, results.unverified_parts, results.self_check) == (1, 2, "20 pairs, 0 differ")


@pytest.mark.parametrize(
    ("workload", "central", "pre_plateau"),
    [
        ({}, [1, 2], [0, 1, 2]),
        ({"select": "central"}, [1, 2], [0, 1, 2]),
        ({"select": "central", "eps": 0.1}, [1], [0, 1, 2]),
        ({"select": "central", "center": 1.0, "eps": 0.25}, [0], [0, 1, 2]),
        ({"select": "central", "metric": "deepgini", "eps": 0.1}, [2], [0, 1, 2]),
        ({"select": "pre_plateau", "threshold": 0.48}, [1, 2], [0]),
    ],
)
def test_table_four_is_of_the_configs_own_zone_and_plateau(
    workload: dict[str, object], central: list[int], pre_plateau: list[int]
) -> None:
    """Each image finds a fault of its own."""
    changed = {
        "metric": np.array([1.2, 0.7, 0.45, 0.0]),
        "critical_fault": np.arange(4),
        "critical_image": np.arange(4),
        "status": SimpleNamespace(**{**vars(STATUS), "faults": 4}),
    }
    summary = cast("CampaignSummary", SimpleNamespace(**{**vars(SUMMARY), **changed}))
    results = campaign_results(summary, DESCRIPTION | {"config": {"workload": workload}})
    assert results.table_four is not None
    rows = {row.method: row for row in results.table_four}
    for name, images in (("central", central), ("pre_plateau", pre_plateau)):
        assert (rows[name].faults_detected, rows[name].percent_of_samples) == (len(images), 25.0 * len(images)), name
    assert rows["random"].percent_of_samples == rows["central"].percent_of_samples


def test_a_campaign_of_before_the_self_check_has_none() -> None:
    assert campaign_results(SUMMARY, DESCRIPTION | {"numerics": {}}).self_check is None


def without_intervals(table: Table) -> dict[object, tuple[object, ...]]:
    """The cells of each row by its name, but for the ends of intervals, which are not there."""
    assert all(row[2] is row[3] is None for row in table.rows)
    return {row[0]: (row[1], *row[4:]) for row in table.rows}


def test_table_one_of_a_sample_has_intervals() -> None:
    """Of two strata, of which the second stands for far more faults."""
    changed = {"stratum": np.array([0, 0, 1]), "population": np.array([4, 96]), "weight": np.array([2.0, 2.0, 96.0])}
    summary = cast("CampaignSummary", SimpleNamespace(**{**vars(SUMMARY), **changed}))
    found = accuracy_table(STATUS, campaign_results(summary, DESCRIPTION)).rows
    rows = {row[0]: cast("tuple[float, float, float]", row[1:4]) for row in found}
    share, low, high = rows["critical faults"]
    assert share == pytest.approx(100 * (0.04 * 0.5 + 0.96 * 1))
    assert low < share < high <= 100
    share, low, high = rows["critical"]
    assert share == pytest.approx(100 * (0.04 * 0.125 + 0.96 * 0.5))
    assert 0 <= low < share < high <= 100
    assert rows["clean accuracy"] == (75.0, None, None)


def test_where_all_faults_were_run_nothing_is_open() -> None:
    summary = cast("CampaignSummary", SimpleNamespace(**{**vars(SUMMARY), "population": np.array([3])}))
    assert without_intervals(accuracy_table(STATUS, campaign_results(summary, DESCRIPTION)))["critical"][0] == 25


def test_table_one_has_shares_with_their_counts_and_what_they_are_of() -> None:
    table = accuracy_table(STATUS, campaign_results(SUMMARY, DESCRIPTION))
    assert [column.name for column in table.columns] == [
        *("quantity", "percent", "low_percent", "high_percent", "count", "of", "unit")
    ]
    rows = without_intervals(table)
    assert rows["clean accuracy"] == (75.0, 3, 4, "images")
    assert rows["faulty accuracy"] == (50.0, None, 3, "faults, the mean")
    assert rows["critical"] == (25.0, 3, 12, "pairs")
    assert rows["critical, not finite"] == (pytest.approx(100 / 12), 1, 12, "pairs")
    assert rows["critical faults"] == (pytest.approx(200 / 3), 2, 3, "faults")


def test_shares_are_those_of_their_counts() -> None:
    rows = accuracy_table(STATUS, campaign_results(SUMMARY, DESCRIPTION)).rows
    shares = [(percent, count, of) for _, percent, _, _, count, of, _ in rows if count is not None]
    assert len(shares) == len(rows) - 1
    for percent, count, of in shares:
        assert percent == pytest.approx(100 * cast("int", count) / cast("int", of))


def screened_campaign() -> tuple[CampaignStatus, CampaignResults]:
    """Of the masked and non-critical pairs above six were screened; of these two were audited."""
    counts = {"masked": 2, "non_critical": 1, "screened": 6, "not_critical": 9}
    status = cast("CampaignStatus", SimpleNamespace(**{**vars(STATUS), **counts}))
    changed = {
        "status": status,
        "non_critical": np.array([0, 0, 1]),
        "screened": np.array([3, 3, 0]),
        "audit": AuditResults(bound_missed(6, 2, 0), bound_missed(1, 1, 0)),
    }
    summary = cast("CampaignSummary", SimpleNamespace(**{**vars(SUMMARY), **changed}))
    return status, campaign_results(summary, DESCRIPTION)


def test_table_one_of_a_screened_campaign_has_the_papers_own_column() -> None:
    """What was run of the masked and non-critical pairs is the least of them that there are."""
    status, results = screened_campaign()
    rows = without_intervals(accuracy_table(status, results))
    assert rows["masked, at least"] == (pytest.approx(100 * 2 / 12), 2, 12, "pairs")
    assert rows["non-critical, at least"] == (pytest.approx(100 * 1 / 12), 1, 12, "pairs")
    assert rows["screened: called safe, not run"] == (50.0, 6, 12, "pairs")
    assert rows["not critical: these together"] == (pytest.approx(75.0), 9, 12, "pairs")
    assert rows["critical"] == (25.0, 3, 12, "pairs")
    assert not {"masked", "non-critical", "dropped: fault known critical"} & rows.keys()
    assert not any(str(name).startswith("-") for name in rows), "it is not known which stage screened them"


def test_table_one_says_which_stage_screened_how_much() -> None:
    status, results = screened_campaign()
    assert results.audit is not None
    results = replace(results, audit=replace(results.audit, by_change=2))
    rows = without_intervals(accuracy_table(status, results))
    assert rows["- by the bound alone"] == (pytest.approx(100 * 4 / 12), 4, 12, "pairs")
    assert rows["- by the exact change"] == (pytest.approx(100 * 2 / 12), 2, 12, "pairs")


def test_what_screening_misses_at_most_stands_between_the_tables() -> None:
    status, results = screened_campaign()
    one, _, audit, four = results.tables(status)
    assert (one.title[:8], four.title[:4]) == ("Accuracy", "What")
    assert audit.title == "What screening misses (95 % upper bounds, one-sided)"
    assert [row[:5] for row in audit.rows] == [("pairs", 6, 50.0, 2, 0), ("faults", 1, pytest.approx(100 / 3), 1, 0)]
    assert [row[5] for row in audit.rows] == [5, 0], "the rate that shows no miss in two draws once in twenty is 0.776"
    found = results.to_json()
    assert found["audit"]["pairs"]["missed_at_most"] == pytest.approx(6 * (1 - 0.05**0.5))
    assert (found["table_one"]["screened"], found["table_one"]["not_critical"]) == (50.0, pytest.approx(75.0))


def test_table_four_has_a_dash_where_images_were_not_run() -> None:
    table = selection_table(
        [TableFourRow("random", 0.72, None, 120.0, None), TableFourRow("all", 100.0, 3, 9e3, 1.5)], 0.99
    )
    assert table.texts() == [
        ["random (mean of 5)", "0.72 %", "-", "-", "-", "-", "2m 00s", "-"],
        ["all", "100.00 %", "3", "-", "-", "-", "2h 30m", "1.50 s"],
    ]


def test_a_campaign_without_pairs_has_tables() -> None:
    nothing = CampaignResults(TableOneRow(0, 0, 0, 0, 0, 0), {}, 0.99, [], None, 0, None, 0, None)
    status = cast("CampaignStatus", SimpleNamespace(**dict.fromkeys(vars(STATUS), 0)))
    one, four = nothing.tables(status)
    assert (len(one.rows), four.rows) == (7, ())
