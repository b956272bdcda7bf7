"""Parts committed in a thread of their own, so that computing goes on meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from engine.injection.outcomes import Outcomes
    from engine.store.records import Receipt, Statistics
    from engine.store.write.writer import CampaignWriter

MOST_WAITING = 2
"""parts that are computed and not begun to be written; each takes some 10 MB of memory"""
_INTERRUPT_SECONDS = 0.05
"""between two attempts to interrupt: one that falls between two statements of DuckDB goes unheard"""
_HEED_SECONDS = 0.1

Result = TypeVar("Result")


class Room(Protocol):
    """What becomes of a write for which the disk has no room; called in the thread that writes."""

    def wait(self, error: DiskFullError) -> None:
        """Return when it is worth trying again; may raise to give up."""

    def found(self) -> None:
        """What was waited for could be written."""


@dataclass(frozen=True)
class ComputedPart:
    """What some groups of whole faults, one after the other, did to a block of images."""

    rank_start: int
    fault_start: int
    groups: Sequence[Outcomes]
    seconds: float
    """what computing it took"""
    statistics: Statistics = field(default_factory=dict)
    """what the method measured of itself"""
    notes: Sequence[str] = ()
    """sentences the user should read, of its images"""

    @property
    def ranks(self) -> tuple[int, int]:
        """The ranks of its images, the second one excluded."""
        return self.rank_start, self.rank_start + self.groups[0].severity.shape[1]

    @property
    def fault_stop(self) -> int:
        """The place in execution order after its last fault."""
        return self.fault_start + sum(len(group.positions) for group in self.groups)

    @property
    def pairs(self) -> int:
        """How many pairs it has."""
        return sum(group.severity.size for group in self.groups)


class BackgroundWriter:
    """Commits parts in the order in which they come, through a `CampaignWriter` that nobody else uses meanwhile.

    What goes wrong in its thread is raised by the next call here, and nothing is committed any more.
    """

    def __init__(self, writer: CampaignWriter, room: Room) -> None:
        self._writer = writer
        self._room = room
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._unfinished: deque[Future[Receipt | None]] = deque()
        self._receipts: list[Receipt] = []
        self._has_given_up = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Commit what is computed; where everything is to stop at once, interrupt what is being written instead."""
        if kind is not None and not issubclass(kind, Exception):
            self._has_given_up.set()
            while wait(self._unfinished, timeout=_INTERRUPT_SECONDS).not_done:
                self._writer.interrupt()
        self._thread.shutdown()

    def commit(self, part: ComputedPart) -> None:
        """Take a part over, as soon as few enough are waiting."""
        self._begin(lambda: self._commit(part))
        while len(self._unfinished) > MOST_WAITING + 1:
            self._finish_first()

    def receipts(self) -> list[Receipt]:
        """The receipts of the parts that were committed since the last call."""
        while self._unfinished and self._unfinished[0].done():
            self._finish_first()
        receipts, self._receipts = self._receipts, []
        return receipts

    def finish(self) -> None:
        """Wait until all parts are committed."""
        while self._unfinished:
            self._finish_first()

    def seal(self) -> None:
        """Seal the campaign, whose parts are all committed."""
        self._begin(lambda: self._written(self._writer.seal))
        self.finish()

    def _begin(self, write: Callable[[], Receipt | None]) -> None:
        self._unfinished.append(self._thread.submit(self._unless_given_up, write))

    def _finish_first(self) -> None:
        # not for ever at once: a signal that another thread was given is only heeded here between two waits
        while wait([self._unfinished[0]], timeout=_HEED_SECONDS).not_done:
            pass
        receipt = self._unfinished[0].result()
        self._unfinished.popleft()
        if receipt is not None:
            self._receipts.append(receipt)

    def _unless_given_up(self, write: Callable[[], Receipt | None]) -> Receipt | None:
        if self._has_given_up.is_set():
            raise CancelledError
        try:
            return write()
        except BaseException:
            self._has_given_up.set()
            raise

    def _commit(self, part: ComputedPart) -> Receipt | None:
        fault_start = part.fault_start
        for outcomes in part.groups:
            self._writer.add(part.rank_start, fault_start, outcomes)
            fault_start += len(outcomes.positions)
        return self._written(lambda: self._writer.commit(part.seconds, part.statistics))

    def _written(self, write: Callable[[], Result]) -> Result:
        """Write, as soon as there is room."""
        has_waited = False
        while True:
            try:
                result = write()
            except DiskFullError as error:
                if self._has_given_up.is_set():
                    raise
                self._room.wait(error)
                has_waited = True
            else:
                if has_waited:
                    self._room.found()
                return result
