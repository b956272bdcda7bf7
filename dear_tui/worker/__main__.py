"""The process of one campaign: `python -m dear_tui.worker STORE [--again]`, the config as JSON on standard input.

It needs no terminal. SIGTERM and SIGINT stop it after the faults being computed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui.worker.process import Begun
from engine.config import parse_config
from engine.errors import DearError
from engine.execution import execute
from engine.preparation import prepare

if TYPE_CHECKING:
    from engine.campaign import Progress
    from engine.store import CampaignStatus


class BegunListener:
    """Tells the starting process which campaign it is, once; the store tells everyone else the rest."""

    def __init__(self) -> None:
        self.begun = False

    def on_campaign(self, status: CampaignStatus) -> None:
        """Answer on standard output, then let go of it."""
        log(f"campaign {status.id}: {status.name}, {status.pairs_done:,} of {status.pairs:,} pairs done before")
        tell(Begun(campaign=status.id))
        self.begun = True

    def on_progress(self, progress: Progress) -> None:
        """The store holds it."""

    def on_note(self, note: str) -> None:
        """Into the log."""
        log(note)


def tell(begun: Begun) -> None:
    """Answer the starting process, which reads one line."""
    print(begun.to_line(), flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def log(text: str) -> None:
    """One line with the time; standard error is the log file."""
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {os.getpid()} {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the campaign; the exit code is the error's."""
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stop.append(received))
    listener = BegunListener()
    try:
        config = parse_config(json.load(sys.stdin), source="worker")
        prepared = prepare(config)
        status = execute(prepared, Path(sys.argv[1]), listener, lambda: bool(stop), "--again" in sys.argv[2:])
    except DearError as error:
        log(str(error))
        if not listener.begun:
            tell(Begun(error=str(error), exit_code=error.exit_code))
        return error.exit_code
    log(f"campaign {status.id}: {status.state}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
