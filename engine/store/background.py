"""Parts committed in a thread of their own, so that computing goes on meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from engine.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from engine.injection.outcomes import Outcomes
    from engine.store.records import Receipt
    from engine.store.writer import CampaignWriter

MOST_WAITING = 2
"""parts that are computed and not committed yet: what they take of the memory, some 5 MB each, stays bounded"""
_INTERRUPT_SECONDS = 0.05
"""between two attempts to interrupt: one that comes between two statements of DuckDB goes unheard"""

Written = TypeVar("Written")


@dataclass(frozen=True)
class ComputedPart:
    """What some groups of whole faults, one after the other, did to a block of images."""

    rank_start: int
    fault_start: int
    groups: Sequence[Outcomes]
    seconds: float
    """what computing it took"""


class BackgroundWriter:
    """Hands parts to a `CampaignWriter` in the order in which they come; nobody else may use that one meanwhile.

    What goes wrong in the thread is raised by the next call here, as if it had been made there.
    """

    def __init__(self, writer: CampaignWriter, wait_for_room: Callable[[DiskFullError], None]) -> None:
        """Of one campaign.

        Args:
            writer: of its parts.
            wait_for_room: called in the thread when the disk is full; when it returns, the same is tried again. May
                raise to give up.
        """
        self._writer = writer
        self._wait_for_room = wait_for_room
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting: deque[Future[Receipt | None]] = deque()
        self._is_given_up = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        """Wait for the thread; after an error, what it is at is interrupted and what waits is dropped."""
        if kind is not None:
            self._is_given_up.set()
            while self._waiting and not self._waiting[0].done():
                self._writer.interrupt()
        self._thread.shutdown(cancel_futures=kind is not None)

    def commit(self, part: ComputedPart) -> list[Receipt]:
        """Take over a part, as soon as few enough wait; returns the receipts since the last call."""
        receipts = self.receipts(MOST_WAITING - 1)
        self._waiting.append(self._thread.submit(self._commit, part))
        return receipts
