"""Rows of Table I and Table IV on campaigns small enough to count by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.analysis.compaction import CriticalWeights
from engine.analysis.estimate import Confidence, Share, estimate_share
from engine.analysis.tables import CriticalDraw, Detections, TableFourRow, TableOneRow, table_four, table_one
from engine.metrics.selection import random_images


def near(value: float, **tolerance: Any) -> Any:
    """Equal to a number that is as good as `value`, in a row as alone."""
    return pytest.approx(value, **tolerance)


def test_table_one():
    row = table_one(
        non_critical=np.array([3, 0, 1]),
        critical=np.array([1, 0, 2]),
        correct=np.array([2, 3, 1]),
        golden_correct=np.array([True, True, False, True]),
    )
    assert row == TableOneRow(
        clean_accuracy=75.0,
        faulty_accuracy=50.0,
        masked=near(100 * 5 / 12),
        non_critical=near(100 * 4 / 12),
        critical=25.0,
        critical_faults=2,
    )


def test_table_one_of_harmless_faults_has_no_rounding_left_over():
    nothing = np.zeros(7, dtype=np.int64)
    row = table_one(nothing, nothing, correct=np.full(7, 3), golden_correct=np.ones(3, dtype=bool))
    assert (row.masked, row.non_critical, row.critical, row.critical_faults) == (100.0, 0.0, 0.0, 0)


def test_table_one_counts_each_fault_for_what_it_stands_for():
    counts = {
        "non_critical": np.array([4, 0]),
        "critical": np.array([0, 4]),
        "correct": np.array([4, 0]),
        "golden_correct": np.ones(4, dtype=bool),
    }
    row = table_one(**counts, weight=np.array([300.0, 100.0]))
    assert (row.non_critical, row.critical, row.faulty_accuracy, row.critical_faults) == (75, 25, 75, 1)
    assert table_one(**counts, weight=np.array([7.3, 7.3])) == table_one(**counts)


def test_table_one_of_screened_pairs():
    """They are neither masked nor non-critical, and belong to what the paper calls not critical."""
    row = table_one(
        non_critical=np.array([1, 0]),
        critical=np.array([1, 0]),
        correct=np.array([3, 4]),
        golden_correct=np.ones(4, dtype=bool),
        screened=np.array([1, 3]),
        dropped=np.array([1, 0]),
    )
    assert (row.masked, row.non_critical, row.critical) == (12.5, 12.5, 12.5)
    assert (row.screened, row.dropped, row.not_critical) == (50.0, 12.5, 75.0)


METRIC = np.array([1.2, 0.8, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
CENTER = 0.7


def detections(workload=range(10), seconds=20.0):
    """Fault 0 is critical for the central images 1 and 2, fault 1 for image 0, fault 2 for the easy image 9."""
    return Detections(
        fault=np.array([0, 0, 1, 2]),
        image=np.array([1, 2, 0, 9]),
        workload=np.array(workload),
        faults=1000,
        seconds=seconds,
    )


def test_table_four():
    central, random, plateau, everything = table_four(METRIC, CENTER, detections())
    assert central == TableFourRow("central", 20.0, 1, near(2.0), near(4.0), Share.known(near(1 / 3)))
    assert plateau == TableFourRow("pre_plateau", 30.0, 2, near(3.0), near(6.0), Share.known(near(2 / 3)))
    assert everything == TableFourRow("all", 100.0, 3, near(10.0), near(20.0), Share.known(1.0))
    finders = {0: {1, 2}, 1: {0}, 2: {9}}
    draws = [set(random_images(10, 2, seed).tolist()) for seed in range(5)]
    mean = sum(bool(draw & images) for draw in draws for images in finders.values()) / 5
    assert random == TableFourRow("random", 20.0, near(mean), near(2.0), near(4.0), Share.known(near(mean / 3)))


def test_what_a_sample_tells_of_all_critical_faults_has_an_interval():
    """All images detect all critical faults by definition; the share that others detect is that of a sample."""
    draw = CriticalDraw(CriticalWeights.equal(3), Confidence(0.95))
    central, random, plateau, everything = table_four(METRIC, CENTER, replace(detections(), sample=draw))
    assert everything.detected == Share.known(1.0)
    for row in (central, plateau):
        hits = np.array([row.faults_detected])
        assert row.detected == estimate_share(hits, np.array([3]), np.array([10**9]), 0.95)
    assert random.detected is not None
    assert random.faults_detected is not None
    assert random.detected.value == near(random.faults_detected / 3)
    assert random.detected.low < random.detected.value < random.detected.high


def test_the_share_is_that_of_the_population_the_faults_stand_for():
    weights = CriticalWeights(np.array([0, 1, 1]), np.array([2.0, 1.0, 1.0]))
    central = table_four(METRIC, CENTER, replace(detections(), sample=CriticalDraw(weights, Confidence(0.95))))[0]
    assert central.detected is not None
    assert central.detected.value == near(0.5)


def test_a_dash_where_images_were_not_run():
    central, random, plateau, everything = table_four(METRIC, CENTER, detections(workload=[1, 2, 5]))
    assert central.faults_detected == 1
    assert central.seconds_measured == near(20 * 2 / 3)
    for row in (random, plateau, everything):
        assert row.faults_detected is None
        assert row.seconds_measured is None
    assert everything.seconds_at_1ms == near(10.0)


def test_no_measured_time_without_one():
    assert {row.seconds_measured for row in table_four(METRIC, CENTER, detections(seconds=None))} == {None}


def test_an_empty_zone_finds_nothing():
    central, random, *_ = table_four(METRIC, 5.0, detections())
    assert (central.percent_of_samples, central.faults_detected, central.seconds_at_1ms) == (0.0, 0, 0.0)
    assert random.faults_detected == 0


def test_a_metric_without_a_center_has_no_central_images_and_no_number_of_random_ones():
    with_center, without = table_four(METRIC, CENTER, detections()), table_four(METRIC, None, detections())
    assert without == with_center[2:]
    assert [row.method for row in without] == ["pre_plateau", "all"]


def test_the_papers_campaign_takes_1_93_days():
    none = np.empty(0, np.int64)
    everything = table_four(np.zeros(10_000), 0.7, Detections(none, none, np.arange(10_000), 16_640))[-1]
    assert everything.seconds_at_1ms / 86_400 == near(1.93, abs=0.005)
