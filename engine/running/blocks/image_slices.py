"""A block of more images than memory holds at once: run slice by slice, and joined to parts of the whole block."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine.injection.outcomes import Audit, Outcomes
from engine.running.blocks.dropped_faults import inject_left
from engine.store.write.background import ComputedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults
    from engine.running.blocks.block_jobs import BlockJob

FIRST_FAULTS = 64
"""of a part; the next ones have more where they take little time, so that a stop is heeded within seconds"""

_LEAST_SECONDS, _MOST_SECONDS = 4.0, 12.0
"""between which a part's time is kept: loading the slices anew for each part takes little of it"""

_MOST_PAIRS = 4_000_000
"""of a part"""


def run_in_slices(
    job: BlockJob,
    injection: Injection,
    faults: WeightFaults,
    load: Callable[[int, int], tuple[GoldenBlock, Sequence[str]]],
) -> Iterator[ComputedPart]:
    """Inject what a job lacks into its images, at most as many at once as the injection's blocks hold.

    Args:
        job: of more images than a block of the injection holds.
        injection: as it is now.
        faults: of the campaign, in execution order.
        load: gives the golden values of ranks from one up to another, and notes on their images.

    Yields:
        Parts of all images of the job, of a few seconds' work, in execution order.
    """
    size, images, has_noted = FIRST_FAULTS, job.rank_stop - job.rank_start, False
    for gap in job.gaps:
        start = gap.start
        while start < gap.stop:
            some = range(start, min(start + size, gap.stop))
            started = time.monotonic()
            slices: list[list[Outcomes]] = []
            notes: list[str] = []
            for first in range(job.rank_start, job.rank_stop, injection.block_rows):
                golden, said = load(first, min(first + injection.block_rows, job.rank_stop))
                of_part = faults.take(slice(some.start, some.stop))
                slices.append([*inject_left(injection, golden, of_part, job.dropped_of(some))])
                notes += said
            seconds = time.monotonic() - started
            statistics = injection.measured
            yield ComputedPart(job.rank_start, start, [join(slices)], seconds, statistics, () if has_noted else notes)
            start, has_noted = some.stop, True
            if seconds > _MOST_SECONDS:
                size = max(1, size // 2)
            elif seconds < _LEAST_SECONDS and 2 * size * images <= _MOST_PAIRS:
                size *= 2


def join(slices: Sequence[Sequence[Outcomes]]) -> Outcomes:
    """The outcomes of the same faults on all images.

    Args:
        slices: of some images each, in their order; of each the groups of faults, one after the other.
    """
    placed = list(_placed(slices))
    groups = [group for group, _, _ in placed]
    fault = np.concatenate([group.critical_fault + first for group, first, _ in placed])
    image = np.concatenate([group.critical_image + first for group, _, first in placed])
    order = np.lexsort((image, fault))
    return Outcomes(
        positions=np.concatenate([group.positions for group in slices[0]]),
        severity=np.hstack([np.vstack([group.severity for group in of_slice]) for of_slice in slices]),
        critical_fault=fault[order],
        critical_image=image[order],
        prediction=np.concatenate([group.prediction for group in groups])[order],
        nonfinite=np.concatenate([group.nonfinite for group in groups])[order],
        golden_in_top5=np.concatenate([group.golden_in_top5 for group in groups])[order],
        softmax_lost=np.concatenate([group.softmax_lost for group in groups])[order],
        audit=_join_audits(placed),
        screened_by_change=sum(group.screened_by_change for group in groups),
    )


def _placed(slices: Sequence[Sequence[Outcomes]]) -> Iterator[tuple[Outcomes, int, int]]:
    """Each group with the row of its first fault and the column of its first image in the whole."""
    first_image = 0
    for of_slice in slices:
        first_fault = 0
        for group in of_slice:
            yield group, first_fault, first_image
            first_fault += len(group.positions)
        first_image += of_slice[0].severity.shape[1]


def _join_audits(placed: Sequence[tuple[Outcomes, int, int]]) -> Audit | None:
    """The audits of placed groups, in no order; None where nothing was audited."""
    audits = [(group.audit, fault, image) for group, fault, image in placed if group.audit is not None]
    if not audits:
        return None
    return Audit(
        fault=np.concatenate([audit.fault + first for audit, first, _ in audits]),
        image=np.concatenate([audit.image + first for audit, _, first in audits]),
        bound=np.concatenate([audit.bound for audit, _, _ in audits]),
        prediction=np.concatenate([audit.prediction for audit, _, _ in audits]),
        severity=np.concatenate([audit.severity for audit, _, _ in audits]),
        drawn_as=np.concatenate([audit.drawn_as for audit, _, _ in audits]),
    )
