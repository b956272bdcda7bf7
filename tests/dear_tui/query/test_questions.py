"""Every ready question, asked of a small real store with two campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.query.questions import questions
from engine.analysis.accuracy_cost import EFFECTS
from engine.analysis.campaign_results import metric_results
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARE = ("critical % of faults", "low_percent", "high_percent")
COLUMNS = {
    "campaigns and what they found": [
        *("campaign", "name", "state", "network", "dataset", "select", "method", "faults", "images"),
        *("masked % of its pairs", "non-critical %", "critical %", "screened %"),
    ],
    "which layer should I protect": [
        *("layer", "weights", "faults", "critical_faults", *SHARE),
        *("% of all critical faults", "mean points of accuracy lost"),
    ],
    "how sure is that: faults by what they do, with their 99 % intervals": [
        *("effect", "faults", "% of faults", "low_percent", "high_percent"),
    ],
    "which images do I need: those that show critical faults first": [
        *("rank", "image_id", "label", "golden_class", "golden_correct"),
        *("critical_faults", "so_far", "% of critical faults"),
    ],
    "which bits are critical": ["bit", "faults", "critical_faults", *SHARE, "critical % of pairs"],
    "which layers are critical": ["layer", "faults", "critical_faults", *SHARE, "critical % of pairs"],
    "layer by bit": [
        *("layer", "bit", "faults", "critical_faults", "low_percent", "high_percent"),
        *("critical_pairs", "critical % of pairs"),
    ],
    "what layers and bits cost in accuracy": [
        *("layer", "bit", "faults", "make_right_answers_wrong", "lower_accuracy", "by_more_than_1_point"),
        *("mean_points", "worst_points"),
    ],
    "the costliest faults": [
        *("fault_id", "layer", "out_channel", "in_channel", "tensor_index", "bit", "golden_value", "faulty_value"),
        *("lost", "corrected", "points"),
    ],
    "which output channels are critical": [
        *("layer", "out_channel", "faults", "critical_faults", "critical_pairs", "mean_points"),
    ],
    "which classes are lost": ["golden_class", "images", "critical_pairs", "critical % of pairs"],
    "which metric shows critical faults soonest (APFD)": ["metric", "critical_faults", "apfd", "images_for_all"],
    "the worst faults": [
        *("fault_id", "layer", "tensor_index", "bit", "golden_value", "faulty_value"),
        *("critical", "non_critical", "masked"),
    ],
    "which images find most critical faults": [
        *("rank", "image_id", "label", "golden_class", "golden_correct", "metric", "critical", "non_critical"),
    ],
    "detection curve (p plots it)": ["rank", "masked", "non_critical", "critical"],
    "images needed for 50, 90, 99, 100 % of the critical faults": ["% of critical faults", "images"],
    "metric against critical faults per image (p plots it)": ["metric", "critical"],
    "confusion: what classes are mistaken for": ["golden_class", "prediction", "critical_pairs", "faults"],
    "non-finite logits by layer and bit": ["layer", "bit", "nonfinite_pairs", "faults"],
    "masked share by layer and bit": ["layer", "bit", "masked %"],
    "accuracy, clean and under each fault": ["fault_id", "layer", "bit", "accuracy %", "clean accuracy %"],
    "does it matter whether the weight grows": ["bit", "grows", "faults", "critical_faults"],
    "the raw severities": ["campaign", "fault_id", "image_id", "severity"],
    "what was screened and what its audit missed, by layer": [
        *("layer", "faults", "screened_pairs", "screened %", "audited_pairs", "missed_pairs"),
    ],
    "compare with campaign 2: critical share by bit": ["bit", "#1 critical %", "#2 critical %"],
    "compare with campaign 2: the same faults with other counts": [
        *("layer", "weight_index", "bit", "#1 critical", "#2 critical"),
    ],
    "compare with campaign 2: detection curves (p plots them)": ["rank", "#1", "#2"],
}
SQL = {question.name: question.sql for question in questions(1, 2)}
FAULTS, IMAGES = 12, 15


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth.of(new_campaign())


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two campaigns of the same faults, with other outcomes."""
    path: Path = tmp_path_factory.mktemp("questions")
    store, _, _ = filled_store(path)
    other = new_campaign(fingerprint="other")
    with store.lock():
        write(store.writer(store.create(other)), Truth.of(other, seed=2), PLAN)
    store.close()
    return path


@pytest.fixture(scope="module")
def session(stored: Path) -> Iterator[SqlSession]:
    with SqlSession(stored) as opened:
        yield opened


def answer(session: SqlSession, name: str) -> list[tuple[Any, ...]]:
    """The rows."""
    return list(session.query(SQL[name]))


def test_every_question_is_tested() -> None:
    assert sorted(SQL) == sorted(COLUMNS)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_question_gives_rows_of_the_columns_it_speaks_of(session: SqlSession, name: str) -> None:
    result = session.query(SQL[name])
    assert list(result.columns) == COLUMNS[name]
    assert list(result)


def test_comparisons_need_another_campaign() -> None:
    assert not [question for question in questions(1, None) if "compare" in question.name or "{" in question.sql]


def test_the_curve_is_algorithm_1(session: SqlSession, truth: Truth) -> None:
    found = answer(session, "detection curve (p plots it)")
    assert found == [(rank, *counts) for rank, counts in enumerate(truth.curve(IMAGES))]


def test_the_images_needed_are_read_off_the_curve(session: SqlSession, truth: Truth) -> None:
    critical = [counts[2] for counts in truth.curve(IMAGES)]
    expected = [
        (share, next(rank for rank, count in enumerate(critical) if 100 * count >= share * critical[-1]) + 1)
        for share in (50, 90, 99, 100)
    ]
    assert answer(session, "images needed for 50, 90, 99, 100 % of the critical faults") == expected


def test_the_worst_fault_comes_first(session: SqlSession, truth: Truth) -> None:
    summaries = sorted(truth.fault_summaries(), key=lambda row: (-(row[3] or 0), row[0] or 0))
    found = answer(session, "the worst faults")
    assert [(row[0], row[8], row[7], row[6]) for row in found] == [row[:4] for row in summaries]


def test_the_bits_add_up_to_all_faults(session: SqlSession, truth: Truth) -> None:
    found = answer(session, "which bits are critical")
    assert [row[0] for row in found] == sorted({int(bit) for bit in truth.new.faults.bit}, reverse=True)
    assert sum(row[1] for row in found) == FAULTS
    assert sum(row[2] for row in found) == truth.curve(IMAGES)[-1][2]


def test_the_area_under_the_curve_is_that_of_the_tables(session: SqlSession, stored: Path) -> None:
    with Store.open(stored, read_only=True) as store:
        qualities = metric_results(store.summary(1)).rankings
    expected = {
        each.order: (pytest.approx(each.area, abs=1e-5), each.images_for_all)
        for each in qualities
        if each.order not in ("greedy", "random")
    }
    found = answer(session, "which metric shows critical faults soonest (APFD)")
    assert expected
    assert {metric: (apfd, images) for metric, _, apfd, images in found} == expected


def test_what_the_layers_have_adds_up(session: SqlSession, stored: Path, truth: Truth) -> None:
    found = answer(session, "which layer should I protect")
    assert sum(row[2] for row in found) == FAULTS
    assert sum(row[3] for row in found) == truth.curve(IMAGES)[-1][2]
    assert sum(row[7] for row in found) == pytest.approx(100, abs=0.02)
    lows_and_highs = [(row[5], row[4], row[6]) for row in found]
    assert all(low < share <= high for low, share, high in lows_and_highs)
    with Store.open(stored, read_only=True) as store:
        rates = store.rates(1)
    assert {row[0]: row[3] for row in found} == dict(zip(rates.layers, rates.critical_faults.sum(axis=1), strict=True))


def test_effects_are_those_of_the_summary_with_intervals_of_as_many_faults(session: SqlSession, stored: Path) -> None:
    found = answer(session, "how sure is that: faults by what they do, with their 99 % intervals")
    with Store.open(stored, read_only=True) as store:
        counts = [int(store.rates(1, effect).having.sum()) for effect in EFFECTS]
    assert [row[1] for row in found] == counts
    for _, hits, *shares in found:
        interval = (
            f"wilson_low({hits}, {FAULTS}, population := 1000), wilson_high({hits}, {FAULTS}, population := 1000)"
        )
        (expected,) = session.query(f"SELECT {hits} / {FAULTS}, {interval}")
        assert shares == pytest.approx([100 * share for share in expected], abs=1e-3)


def test_the_images_needed_first_show_every_critical_fault(session: SqlSession, truth: Truth) -> None:
    found = answer(session, "which images do I need: those that show critical faults first")
    critical = [counts[2] for counts in truth.curve(IMAGES)]
    steps = [(rank, count) for rank, count in enumerate(critical) if count > (critical[rank - 1] if rank else 0)]
    assert [(row[0], row[6]) for row in found] == steps
    assert found[-1][7] == 100


def test_raw_severities_are_those_of_the_one_campaign(session: SqlSession, truth: Truth) -> None:
    assert sorted(row[1:] for row in answer(session, "the raw severities")) == truth.severities()
