"""The detection curve against Algorithm 1 as the paper prints it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.analysis.curve import detection_curve

severities = hnp.arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 12)), elements=st.integers(0, 2))


def algorithm_1(severity):
    """Counts (masked, non-critical, critical) after each image; severity is [F, images]."""
    faults, images = severity.shape
    worst = [0] * faults
    for image in range(images):
        for fault in range(faults):
            worst[fault] = max(worst[fault], severity[fault, image])
        yield worst.count(0), worst.count(1), worst.count(2)


def first_rank(reached):
    return np.where(reached.any(axis=1), reached.argmax(axis=1), -1).astype(np.int64)


@given(severities)
def test_equals_algorithm_1(severity):
    images = severity.shape[1]
    curve = detection_curve(first_rank(severity > 0), first_rank(severity == 2), images)
    counts = zip(curve.masked.tolist(), curve.non_critical.tolist(), curve.critical.tolist(), strict=True)
    assert list(counts) == list(algorithm_1(severity))


@given(severities, st.data())
def test_the_curve_so_far_is_the_start_of_the_whole(severity, data):
    so_far = data.draw(st.integers(0, severity.shape[1]))
    firsts = first_rank(severity > 0), first_rank(severity == 2)
    part, whole = detection_curve(*firsts, so_far), detection_curve(*firsts, severity.shape[1])
    for name in ("masked", "non_critical", "critical"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:so_far])


def test_a_fault_counts_at_its_worst_severity_so_far():
    curve = detection_curve(np.array([0, 1, -1]), np.array([2, -1, -1]), 4)
    assert curve.masked.tolist() == [2, 1, 1, 1]
    assert curve.non_critical.tolist() == [1, 2, 1, 1]
    assert curve.critical.tolist() == [0, 0, 1, 1]
    assert curve.critical.dtype == np.int64


SCREENED = 3
with_screened = hnp.arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 12)), elements=st.integers(0, 3))


@given(with_screened)
def test_a_fault_counts_as_screened_until_it_is_seen_to_be_harmful(severity):
    images = severity.shape[1]
    firsts = first_rank((severity == 1) | (severity == 2)), first_rank(severity == 2)
    curve = detection_curve(*firsts, images, first_rank(severity == SCREENED))
    place = np.array([0, 2, 3, 1])[severity]  # a screened pair is worse than a masked one only
    worst = np.maximum.accumulate(place, axis=1)
    for code, counts in enumerate((curve.masked, curve.screened, curve.non_critical, curve.critical)):
        assert counts.tolist() == (worst == code).sum(axis=0).tolist()
