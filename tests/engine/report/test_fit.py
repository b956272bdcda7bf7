"""FIT: a raw rate times a share, by readings that are never mixed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.analysis.estimate import Confidence, Share
from engine.report.document import NamedTable, Paragraph
from engine.report.fault_sample import LEAST_FAULTS, FaultSample
from engine.report.fit import ANY_IMAGE, NONFINITE, PER_INFERENCE, FitRate, fit_chapter, fit_of, in_fit, stored_bits
from engine.report.material import read_material
from tests.engine.report.conftest import CRITICAL, FILTERED, FINISHED

if TYPE_CHECKING:
    from engine.analysis.result_table import Table
    from engine.report.document import Chapter
    from engine.store import Store

LENET5_BITS = 61_470 * 32


def tables(chapter: Chapter) -> dict[str, Table]:
    return {block.name: block.table for block in chapter.blocks if isinstance(block, NamedTable)}


def words(chapter: Chapter) -> str:
    return " ".join(block.text for block in chapter.blocks if isinstance(block, Paragraph))


def test_a_megabit_is_a_million_bits() -> None:
    assert FitRate().of_bits(10**6) == 1000
    assert FitRate(250).of_bits(2 * 10**6) == 500
    assert in_fit(Share(0.1, 0.05, 0.2), 10**6, FitRate()) == Share(100, 50, 200)
    assert in_fit(None, 10**6, FitRate()) is None


def test_the_three_readings_are_shares_of_pairs_of_those_that_are_not_finite_and_of_faults(opened: Store) -> None:
    material = read_material(opened, FINISHED)
    found = fit_of(material, FitRate())
    raw, summary = LENET5_BITS / 1000, material.summary
    assert stored_bits(material) == LENET5_BITS
    expected = {
        PER_INFERENCE.name: raw * summary.critical.mean() / summary.status.images,
        NONFINITE.name: raw * summary.nonfinite.mean() / summary.status.images,
        ANY_IMAGE.name: raw * (summary.critical > 0).mean(),
    }
    for name, value in expected.items():
        share = found[name]
        assert share is not None
        assert share.value == pytest.approx(value)
        assert share.low <= share.value <= share.high


def test_layers_and_fields_add_up_to_all_bits(opened: Store) -> None:
    by_group = tables(fit_chapter(read_material(opened, FINISHED), FitRate()))
    assert sum(row[1] for row in by_group["fit-by-layer"].rows) == LENET5_BITS  # type: ignore[misc]
    fields = [row for row in by_group["fit-by-bits"].rows if not str(row[0]).startswith("- ")]
    assert [row[0] for row in fields] == ["sign (bit 31)", "exponent (bits 23 to 30)", "mantissa (bits 0 to 22)"]
    assert sum(row[1] for row in fields) == LENET5_BITS  # type: ignore[misc]
    assert sum(row[2] for row in fields) == 400  # type: ignore[misc]


def test_of_what_was_not_sampled_nothing_is_told_and_of_what_showed_nothing_the_most_it_can_be(opened: Store) -> None:
    rows = {row[0]: row for row in tables(fit_chapter(read_material(opened, FINISHED), FitRate()))["fit-by-layer"].rows}
    conv1 = rows["conv1"]  # 0.2 % of the weights: one of the 400 faults, or none
    assert isinstance(conv1[2], int)
    assert conv1[2] < LEAST_FAULTS
    assert conv1[3:10] == (None,) * 7
    assert conv1[-1] == ("too few faults to tell" if conv1[2] else "not sampled")
    fields = {
        row[0]: row for row in tables(fit_chapter(read_material(opened, FINISHED), FitRate()))["fit-by-bits"].rows
    }
    none_seen = [row for row in fields.values() if row[7] == 0]
    assert none_seen
    assert all(str(row[-1]).startswith("none seen: at most") and row[9] > 0 for row in none_seen)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("budget", "verdict"),
    [(1e9, "is kept"), (1e-9, "is exceeded"), (None, None)],
)
def test_a_budget_is_kept_exceeded_or_neither(opened: Store, budget: float | None, verdict: str | None) -> None:
    text = words(fit_chapter(read_material(opened, FINISHED), FitRate(budget=budget)))
    assert (f"the budget {verdict}" in text) == (verdict is not None)
    found = fit_of(read_material(opened, FINISHED), FitRate())[PER_INFERENCE.name]
    assert found is not None
    within = words(fit_chapter(read_material(opened, FINISHED), FitRate(budget=found.value)))
    assert "neither kept nor exceeded" in within


def test_the_source_of_the_rate_is_named(opened: Store) -> None:
    assert "the default of IEC 61508-7" in words(fit_chapter(read_material(opened, FINISHED), FitRate()))
    assert "12 FIT per Mbit, as given with --fit-per-mbit" in words(
        fit_chapter(read_material(opened, FINISHED), FitRate(12))
    )


def test_a_filtered_campaign_counts_the_bits_it_was_filtered_to(opened: Store) -> None:
    material = read_material(opened, FILTERED)
    assert stored_bits(material) == 61_470 - 150 - 2400  # bit 30 of the three linear layers
    chapter = fit_chapter(material, FitRate())
    assert "the layers and bits that the campaign was filtered to" in words(chapter)
    assert [row[0] for row in tables(chapter)["fit-by-layer"].rows] == ["fc1", "fc2", "fc3"]


def test_of_a_campaign_that_dropped_pairs_only_faults_are_told(opened: Store) -> None:
    found = fit_of(read_material(opened, CRITICAL), FitRate())
    assert found[PER_INFERENCE.name] is None
    assert found[NONFINITE.name] is None
    assert found[ANY_IMAGE.name] is not None


def test_a_part_of_a_stratum_is_estimated_by_its_own_faults() -> None:
    """Two layers in one stratum, of which one has all that is critical."""
    layer = np.repeat([0, 1], [100, 300])
    sample = FaultSample(
        layer=layer,
        bit=np.zeros(400, np.int64),
        stratum=np.zeros(400, np.int64),
        images=10,
        population=np.array([[1000], [3000]]),
        stratum_of=np.zeros((2, 1), np.int32),
        confidence=Confidence(0.95),
    )
    critical = np.where(layer == 0, 5, 0)
    shares = [
        sample.mean(critical),
        sample.mean(critical, sample.of_layer(0)),
        sample.mean(critical, sample.of_layer(1)),
    ]
    assert [share and share.value for share in shares] == [0.125, 0.5, 0.0]
    faults = sample.share(critical > 0, sample.of_layer(0))
    assert faults is not None
    assert faults.value == 1
    whole = replace(sample, population=np.array([[100], [300]]))
    exact = whole.mean(critical)
    assert exact is not None
    assert exact.low == exact.value == exact.high


def test_the_upper_end_has_room_for_what_screening_may_have_missed() -> None:
    """Also where every fault was drawn, so that nothing else is open."""
    layer = np.repeat([0, 1], [100, 300])
    sample = FaultSample(
        layer=layer,
        bit=np.zeros(400, np.int64),
        stratum=layer.astype(np.int64),
        images=10,
        population=np.array([[100], [300]]),
        stratum_of=np.array([[0], [1]], np.int32),
        confidence=Confidence(0.95),
        missed_pairs=20.0,
        missed_faults=4.0,
    )
    pairs, faults = sample.mean(np.where(layer == 0, 5, 0)), sample.share(layer == 0)
    assert pairs == Share(0.125, 0.125, 0.125 + 20 / 4000)
    assert faults == Share(0.25, 0.25, 0.25 + 4 / 400)
    unequal = replace(sample, population=np.array([[100], [30_000]]))
    open_, closed = (
        unequal.mean(np.zeros(400, np.int64)),
        replace(unequal, missed_pairs=0.0).mean(np.zeros(400, np.int64)),
    )
    assert open_ is not None
    assert closed is not None
    assert open_.high == pytest.approx(closed.high + 2 * 100 / 30_100)  # two faults' worth, of the largest weight
    assert sample.opened(Share(0.1, 0.1, 0.1)).high == pytest.approx(0.1 + 20 / 4000)


def test_a_list_stands_for_no_others() -> None:
    sample = FaultSample(
        layer=np.zeros(20, np.int64),
        bit=np.zeros(20, np.int64),
        stratum=np.zeros(20, np.int64),
        images=10,
        population=np.array([[1000]]),
        stratum_of=np.zeros((1, 1), np.int32),
        confidence=Confidence(0.99),
        is_list=True,
    )
    assert sample.mean(np.arange(20) % 2 * 10) == Share(0.5, 0.5, 0.5)
    assert sample.share(np.arange(20) < 5) == Share(0.25, 0.25, 0.25)
    assert sample.opened(Share(0.1, 0.0, 0.9)) == Share(0.1, 0.1, 0.1)


def test_a_list_has_no_fit(opened: Store) -> None:
    material = read_material(opened, FINISHED)
    listed = replace(material, summary=replace(material.summary, population=None))
    assert set(fit_of(listed, FitRate()).values()) == {None}
    chapter = fit_chapter(listed, FitRate(budget=1))
    assert tables(chapter) == {}
    assert "stands for no bits but its own" in words(chapter)


def test_stuck_bits_are_no_soft_errors(opened: Store) -> None:
    material = read_material(opened, FINISHED)
    stuck = replace(material, description={**material.description, "fault_model": "stuck_at"})
    assert "until the memory is replaced" in words(fit_chapter(stuck, FitRate()))
    assert stored_bits(stuck) == LENET5_BITS // 2
    assert [scheme.name for scheme in stuck.schemes] == ["triplication", "SEC-DED"]
    assert len(material.schemes) == 4
