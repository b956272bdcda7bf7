"""A report written by a process of its own, so that no screen waits for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from engine.errors import DearError
from engine.paths import free_name, present_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMMAND = "import sys; from dear_tui.cli.main import main; sys.exit(main())"


def write_report(store: Path, what: Sequence[str], stem: str) -> Path:
    """Have `dear-tui report` write all formats into a new folder within the present one.

    Args:
        store: of the campaigns.
        what: numbers of campaigns, or the name of a study.
        stem: of the folder's name, to which a number is added where it is taken.

    Returns:
        The folder.

    Raises:
        DearError: it failed, in one sentence.
    """
    here = present_folder()
    folder = here / free_name(here, stem)
    options = ["--store", str(store.absolute()), "--out", str(folder), "--", *what]
    done = subprocess.run(
        [sys.executable, "-P", "-c", COMMAND, "report", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=here,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
        raise DearError(said[-1].removeprefix("dear-tui: "))
    return folder
