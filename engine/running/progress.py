"""How far a campaign is, at which rate, and how long it still takes."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.severity import COUNTS
from engine.store.records import Counted
from engine.store.schema import AUDIT_COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.store.records import CampaignStatus, Receipt

_RATE_SECONDS = 10.0
"""how far back the shown rate looks; the time left is told by a whole block, whose first faults may take most of it"""
_LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Progress(Counted):
    """How far a campaign is; counts are pairs."""

    pairs_done: int
    pairs: int
    rate: float | None
    """pairs per second of late; None until it is known"""
    eta_s: float | None
    masked: int
    non_critical: int
    critical: int
    block: tuple[int, int] | None = None
    """ranks of the images being run, the second one excluded"""
    screened: int = 0
    dropped: int = 0
    audited: int = 0
    missed: int = 0


class _Window:
    """The latest moments at which so many pairs were done."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int, least_pairs: int = 0) -> None:
        """One more; what is before the last _RATE_SECONDS and the last `least_pairs` is forgotten."""
        self._marks.append((now, done))
        while len(self._marks) > 2:
            time_then, done_then = self._marks[1]
            if now - time_then <= _RATE_SECONDS or done - done_then <= least_pairs:
                break
            self._marks.popleft()

    def rate(self) -> float | None:
        """Without the first group, which warms everything up, and only from what took long enough to measure."""
        if len(self._marks) < 2:
            return None
        (first_time, first), (last_time, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_time - first_time) if last_time - first_time >= _LEAST_SECONDS else None


class ProgressMeter:
    """Counts pairs, measures their rate, and reports."""

    def __init__(self, status: CampaignStatus, on_progress: Callable[[Progress], None]) -> None:
        """Start from what is committed."""
        self._on_progress = on_progress
        self._pairs, self._faults = status.pairs, status.faults
        self._counts = {name: getattr(status, name) for name in (*COUNTS, *AUDIT_COUNTS)}
        self._done = status.count()
        self._recent, self._over_a_block = _Window(), _Window()
        self._report(None)

    def advance(self, pairs: int, block: tuple[int, int], receipts: Sequence[Receipt]) -> None:
        """So many more pairs are computed, of these ranks, and these parts are in the store."""
        self._done += pairs
        now = time.monotonic()
        self._recent.add(now, self._done)
        self._over_a_block.add(now, self._done, least_pairs=self._faults * (block[1] - block[0]))
        self._count(receipts)
        self._report(block)

    def finish(self, receipts: Sequence[Receipt]) -> None:
        """These parts are in the store, and nothing more is computed."""
        self._count(receipts)
        self._report(None)

    def _count(self, receipts: Sequence[Receipt]) -> None:
        for name in self._counts:
            self._counts[name] += sum(getattr(receipt, name) for receipt in receipts)

    def _report(self, block: tuple[int, int] | None) -> None:
        steady = self._over_a_block.rate()
        eta = (self._pairs - self._done) / steady if steady else None
        self._on_progress(Progress(self._done, self._pairs, self._recent.rate(), eta, **self._counts, block=block))
