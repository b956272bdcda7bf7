"""What is left of a broken program: a sentence for the user, and a file with the details."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import platformdirs
from textual.worker import WorkerFailed

from engine.paths import own_folder

if TYPE_CHECKING:
    from pathlib import Path


def crash_log() -> Path:
    """Where the details go."""
    return own_folder(platformdirs.user_log_path) / "crash.log"


def record_crash(error: BaseException, what: str = "the screens broke down") -> str:
    """Append the traceback to the log; returns what to tell the user, beginning with `what`."""
    root = error.error if isinstance(error, WorkerFailed) else error
    what = f"{what} ({type(root).__name__}: {root})".replace("\n", " ")
    head = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} dear-tui {version('dear-tui')}"
    path = crash_log()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{head}\n{''.join(traceback.format_exception(root))}\n")
    except OSError as reason:
        return f"{what}; campaigns go on, but the details cannot be written: {reason}"
    return f"{what}; campaigns go on, dear-tui shows them again, and the details are in {path}"
