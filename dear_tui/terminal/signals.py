"""Signals that come while Python is at something long, and the end of a terminal that no signal tells of."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType


STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def handled(numbers: Iterable[int], handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have these signals handled so meanwhile."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


@contextmanager
def at_each_signal(act: Callable[[int], object]) -> Iterator[None]:
    """Act in another thread, by the signal's number: Python handles one between two steps, and a query is one step.

    The signal needs a handler: Python writes only the number of what it handles.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while number := os.read(reading, 1):
            act(number[0])

    watcher = threading.Thread(target=watch, name="signals", daemon=True)
    watcher.start()
    before = signal.set_wakeup_fd(writing)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        watcher.join()
        os.close(reading)


def end_if_terminal_is_gone() -> None:
    """End the process as SIGHUP does, which is not sent under nohup or setsid.

    Otherwise it would read the end of its input for ever, at full speed.
    """
    if sys.__stdin__ is None:
        return
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), select.POLLHUP)
    if any(event & select.POLLHUP for _, event in poll.poll(0)):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)
