"""The detached process: `python -m dear_tui.worker STORE [--until-empty]`, which answers in one line on its stdout."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from dear_tui.query.memory import lift_memory_limit
from dear_tui.worker.loop import Worker, log
from dear_tui.worker.process import UNTIL_EMPTY, Answer
from engine.errors import DearError

NICENESS = 5
"""A third of a core where another wants it, too: keys are answered, and a campaign still gets on."""
OWN_GROUP = Path("/proc/self/autogroup")
"""the niceness of a session, sched(7): Linux shares the processor among sessions first"""


def answer(said: Answer) -> None:
    """Tell the starting process, which reads one line; from then on standard output is the log, too."""
    with suppress(BrokenPipeError):  # it was ended meanwhile, and the worker goes on
        os.write(1, f"{said.to_line()}\n".encode())
    os.dup2(2, 1)


def give_way() -> None:
    """Let the screens, which may have no other core than the worker's, go first."""
    os.nice(max(0, NICENESS - os.nice(0)))
    if os.getsid(0) == os.getpid():  # else the session is somebody else's
        with suppress(OSError):  # a kernel that shares by process
            OWN_GROUP.write_text(str(NICENESS))


def main(arguments: list[str]) -> int:
    """Be the worker of a store; the exit code is the error's."""
    os.umask(0o077)
    lift_memory_limit()
    give_way()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    store, *flags = arguments
    has_answered = False

    def on_ready() -> None:
        nonlocal has_answered
        answer(Answer(pid=os.getpid()))
        has_answered = True

    try:
        return Worker(Path(store), UNTIL_EMPTY in flags).run(on_ready)
    except DearError as error:
        log(str(error))
        if not has_answered:
            answer(Answer(error=str(error), exit_code=error.exit_code))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
