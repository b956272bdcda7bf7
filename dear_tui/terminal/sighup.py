"""The end of a terminal that nobody is told of: under nohup or setsid there is no SIGHUP."""

from __future__ import annotations

import os
import select
import signal
import sys


def end_if_terminal_is_gone() -> None:
    """End the process as SIGHUP does; otherwise it would read the end of its input for ever, at full speed."""
    if sys.__stdin__ is None:
        return
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), select.POLLHUP)
    if any(event & select.POLLHUP for _, event in poll.poll(0)):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)
