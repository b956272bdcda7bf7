"""Starting the process that runs a campaign, and hearing from it that it has begun."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import DearError, InputError, UnreachableError
from engine.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from engine.config import CampaignConfig

REAPER = "worker-reaper"

_ERRORS: dict[int, type[DearError]] = {kind.exit_code: kind for kind in (DearError, InputError, UnreachableError)}


@dataclass(frozen=True)
class Begun:
    """The one line that the process writes to its standard output: which campaign it runs, or why it cannot."""

    campaign: int | None = None
    error: str = ""
    exit_code: int = 0

    def to_line(self) -> str:
        """As JSON."""
        return json.dumps(self.__dict__)

    @classmethod
    def from_line(cls, line: str) -> Begun:
        """Of a process that ended without a word, say so."""
        return cls(**json.loads(line)) if line else cls(error="the campaign's process ended at once", exit_code=1)


def log_path(store: Path) -> Path:
    """Where the process writes what it has to say after it has begun."""
    return store / "worker.log"


def start_worker(config: CampaignConfig, store: Path, again: bool = False) -> int:
    """Run a config in a new session of its own; returns its campaign once it is in the store.

    Args:
        again: as a new campaign in any case.

    Raises:
        DearError: the one the process met, with its exit code.
    """
    Store.open(store).close()  # made here, because the log lies in it
    with log_path(store).open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dear_tui.worker", str(store), *(["--again"] if again else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # closing the terminal must not end it
        )
    # reaped when it ends: a dead child that nobody waited for looks alive to those who ask for its id
    threading.Thread(target=process.wait, name=REAPER, daemon=True).start()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(config.model_dump_json())
    process.stdin.close()
    begun = Begun.from_line(process.stdout.readline())
    if begun.campaign is None:
        raise _ERRORS.get(begun.exit_code, DearError)(f"{begun.error}; its log is {log_path(store)}")
    return begun.campaign
