"""Threads that may hang (a slow disk, a driver) without holding up anything else, or the program's end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

END_SECONDS = 1.0
"""how long the end waits for threads that are at work"""


class DaemonThreads(ThreadPoolExecutor):
    """A thread for every job, so that those that hang take no other's place; left behind where they do not end.

    A pool, because asyncio takes nothing else for its own threads.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._running: set[threading.Thread] = set()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Run a function in a thread of its own, at once."""
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*arguments, **options))
                except BaseException as error:  # whoever asked gets it, as from any pool
                    future.set_exception(error)
            self._running.discard(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True)
        self._running.add(thread)
        thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - nothing waits
        """Wait, but not for ever."""
        end = time.monotonic() + (END_SECONDS if wait else 0)
        for thread in list(self._running):
            thread.join(max(end - time.monotonic(), 0))
