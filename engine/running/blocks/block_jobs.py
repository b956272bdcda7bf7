"""What of a campaign is left to compute, as jobs; worked out from the spans of the committed parts alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engine.store.records import Span

FIRST_BLOCK = 16
"""images in the first block; each next one is twice as long, so that the curve is there within seconds"""


@dataclass(frozen=True)
class BlockJob:
    """Consecutive ranks, and the faults (places in execution order) that are not in the store for them yet."""

    rank_start: int
    rank_stop: int
    gaps: tuple[range, ...]
    dropped: NDArray[np.bool_] | None = None
    """[faults of the campaign] those that need not be run; None: all are run"""

    def after(self, fault: int) -> BlockJob:
        """What is left of it when all faults before one are done."""
        left = (range(max(gap.start, fault), gap.stop) for gap in self.gaps if gap.stop > fault)
        return replace(self, gaps=tuple(left))

    def dropped_of(self, faults: range) -> NDArray[np.bool_] | None:
        """[faults] which of consecutive ones need not be run; None: all are run."""
        return None if self.dropped is None else self.dropped[faults.start : faults.stop]


def plan_jobs(images: int, most_rows: int, wave_stops: Sequence[int], done: Sequence[Span]) -> Iterator[BlockJob]:
    """The blocks that are not complete, in rank order.

    Blocks that parts already exist for keep their length, whatever the batch sizes are this time.

    Args:
        images: in the workload.
        most_rows: images that a block can hold.
        wave_stops: how many faults are run when each wave ends, the last of those to be run among them; a gap never
            reaches over the end of a wave, where faults begin with the first layer again.
        done: spans of the committed parts, in any order.
    """
    stops = {span.rank_start: span.rank_stop for span in done}
    start, length = 0, min(FIRST_BLOCK, most_rows)
    while start < images:
        stop = stops.get(start, min(start + length, images, *(known for known in stops if known > start)))
        covered = [
            (span.fault_start, span.fault_stop)
            for span in done
            if span.rank_start == start and span.fault_start < wave_stops[-1]
        ]
        gaps = tuple(_gaps(covered, wave_stops))
        if gaps:
            yield BlockJob(start, stop, gaps)
        start, length = stop, min(length * 2, most_rows)


def _gaps(covered: list[tuple[int, int]], wave_stops: Sequence[int]) -> Iterator[range]:
    start = 0
    for first, stop in sorted([*covered, *((end, end) for end in wave_stops)]):
        if first > start:
            yield range(start, first)
        start = max(start, stop)
