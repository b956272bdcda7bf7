"""Parts of whole faults, joined as they come from several jobs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.injection.outcomes import Outcomes
from engine.running.blocks import part_cutting
from engine.running.blocks.block_jobs import BlockJob
from engine.running.blocks.part_cutting import PartCutter
from engine.store.write.background import ComputedPart

if TYPE_CHECKING:
    import pytest

IMAGES = 2


def group(rank_start: int, faults: range, seconds: float = 1.0) -> ComputedPart:
    """A group of faults of which nothing is critical."""
    none = np.zeros(0, np.int64)
    outcomes = Outcomes(
        positions=np.arange(faults.start, faults.stop),
        severity=np.zeros((len(faults), IMAGES), np.uint8),
        critical_fault=none,
        critical_image=none,
        prediction=none.astype(np.uint16),
        golden_in_top5=none.astype(bool),
        softmax_lost=none.astype(np.float32),
        nonfinite=none.astype(np.bool_),
    )
    return ComputedPart(rank_start, faults.start, [outcomes], seconds, {"margin": float(faults.stop)})


def test_the_groups_of_a_gap_are_one_part_that_ends_with_it() -> None:
    cutter = PartCutter([BlockJob(0, IMAGES, (range(2, 5), range(7, 8)))])
    assert cutter.add(group(0, range(2, 4), seconds=0.5)) == []
    [part] = cutter.add(group(0, range(4, 5), seconds=0.25))
    assert (part.fault_start, part.fault_stop, part.pairs, part.seconds) == (2, 5, 3 * IMAGES, 0.75)
    assert part.statistics == {"margin": 5.0}
    [other] = cutter.add(group(0, range(7, 8)))
    assert (other.fault_start, other.fault_stop) == (7, 8)
    assert cutter.rest() == []


def test_a_part_is_full_after_so_many_pairs_or_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_cutting, "PART_PAIRS", 4 * IMAGES)
    cutter = PartCutter([BlockJob(0, IMAGES, (range(100),))])
    assert cutter.add(group(0, range(3))) == []
    assert [part.fault_stop for part in cutter.add(group(0, range(3, 5)))] == [5]
    assert [part.fault_start for part in cutter.add(group(0, range(5, 6), part_cutting.PART_SECONDS))] == [5]


def test_what_is_begun_is_given_once_when_nothing_more_comes() -> None:
    cutter = PartCutter([BlockJob(0, IMAGES, (range(9),)), BlockJob(IMAGES, 2 * IMAGES, (range(9),))])
    cutter.add(group(0, range(3)))
    cutter.add(group(IMAGES, range(5)))
    assert [(part.rank_start, part.fault_stop) for part in cutter.rest()] == [(0, 3), (IMAGES, 5)]
    assert cutter.rest() == []


@given(st.integers(1, 4), st.data())
def test_however_jobs_are_mixed_every_pair_is_in_one_part(blocks: int, data: st.DataObject) -> None:
    faults, waiting = 12, dict[int, list[ComputedPart]]()
    jobs = [BlockJob(IMAGES * block, IMAGES * (block + 1), (range(faults),)) for block in range(blocks)]
    for job in jobs:
        cuts = sorted({0, faults, *data.draw(st.lists(st.integers(1, faults - 1), max_size=4))})
        waiting[job.rank_start] = [group(job.rank_start, range(*ends)) for ends in pairwise(cuts)]
    cutter, parts = PartCutter(jobs), list[ComputedPart]()
    while left := sorted(rank for rank, groups in waiting.items() if groups):
        parts += cutter.add(waiting[data.draw(st.sampled_from(left))].pop(0))
    assert cutter.rest() == []
    assert sorted((part.ranks, part.fault_start, part.fault_stop) for part in parts) == [
        ((job.rank_start, job.rank_stop), 0, faults) for job in jobs
    ]
