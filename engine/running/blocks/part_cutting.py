"""Cutting what jobs yield into parts that are worth files of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.injection.outcomes import Outcomes
    from engine.running.blocks.block_jobs import BlockJob
    from engine.store.write.background import ComputedPart

PART_PAIRS = 8_500_000
"""Half of a block of 1,024 images and 16,600 faults, about the most of a layer-wise sample at 1 %: with twice as many
parts, writing takes a tenth longer."""
PART_SECONDS = 30.0


class PartCutter:
    """Joins the parts of each gap, which come in order, while those of several jobs come mixed."""

    def __init__(self, jobs: Iterable[BlockJob]) -> None:
        """For what these jobs yield."""
        self._ends = {(job.rank_start, gap.stop) for job in jobs for gap in job.gaps}
        self._open: dict[tuple[int, int], _OpenPart] = {}
        """first rank and next fault -> what was joined so far"""

    def add(self, part: ComputedPart) -> list[ComputedPart]:
        """Take one over; returns the part that is full with it or at the end of its gap, where there is one."""
        joined = self._open.pop((part.rank_start, part.fault_start), None) or _OpenPart(part)
        joined.add(part)
        place = (part.rank_start, part.fault_stop)
        if joined.is_full or place in self._ends:
            return [joined.whole()]
        self._open[place] = joined
        return []

    def rest(self) -> list[ComputedPart]:
        """What was begun and is not full, when nothing more comes."""
        begun, self._open = [joined.whole() for joined in self._open.values()], {}
        return begun


@dataclass(init=False)
class _OpenPart:
    """Parts of one gap that will be one."""

    first: ComputedPart
    last: ComputedPart
    groups: list[Outcomes]
    pairs: int = 0
    seconds: float = 0.0

    def __init__(self, first: ComputedPart) -> None:
        self.first, self.groups = first, []

    def add(self, part: ComputedPart) -> None:
        self.last = part
        self.groups += part.groups
        self.pairs += part.pairs
        self.seconds += part.seconds

    @property
    def is_full(self) -> bool:
        return self.pairs >= PART_PAIRS or self.seconds >= PART_SECONDS

    def whole(self) -> ComputedPart:
        """One part, with the statistics of the last, which are the latest."""
        return replace(self.last, fault_start=self.first.fault_start, groups=self.groups, seconds=self.seconds)
