"""Groups of faults side by side on the cores of a CPU.

Small operations gain little from a second thread of their own (measured: a matrix product of 4,096 rows takes 104 us on
one thread, 85 us on two), so the cores are shared out among workers, each with its part of the faults.
"""

from __future__ import annotations

import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_WORKERS = 4
"""more would wait for each other in the interpreter"""

_SWITCH_SECONDS = 0.0002
"""after which a worker hands the interpreter over: by default one that does many small things keeps it for 5 ms, while
the others wait (measured: 3 % of LeNet-5's time)"""


@dataclass(frozen=True)
class Workers:
    """How many run side by side, and the threads of each one's operations, which its rounding depends on."""

    count: int
    threads: int

    @classmethod
    def of(cls, device: torch.device) -> Workers:
        """All threads that torch may use, shared out; on CUDA one, while the caller takes over results."""
        cores = torch.get_num_threads()
        count = min(cores, _MOST_WORKERS) if device.type == "cpu" else 1
        return cls(count, max(1, cores // count))

    @contextmanager
    def rounding(self) -> Iterator[None]:
        """In the calling thread, operations as a worker runs them."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def map(self, run: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of `items`, one more of which is waiting than are run."""
        before, switch_seconds = torch.get_num_threads(), sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        waiting: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(self.count, initializer=torch.set_num_threads, initargs=(self.threads,)) as pool:
            try:
                for item in items:
                    waiting.append(pool.submit(run, item))
                    if len(waiting) > self.count:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)
                sys.setswitchinterval(switch_seconds)
                torch.set_num_threads(before)  # what the workers set is also what new threads begin with
