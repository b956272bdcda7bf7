"""A worker that stands still after its first part until it is let go: neither it nor the test can be too quick."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tests.dear_tui.worker.conftest import until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HELD = """
import os
from engine.store.write.writer import CampaignWriter
commit = CampaignWriter.commit

def held(self, *arguments):
    receipt = commit(self, *arguments)
    CampaignWriter.commit = commit
    open(os.environ["HELD_BY"]).close()
    return receipt

CampaignWriter.commit = held
"""
"""To be run in the worker's process before all else; a named pipe is not opened before its other end is, too."""

RUN_MODULE = """
import runpy, sys
sys.argv = sys.argv[3:]  # of: -P -m MODULE ARGUMENTS
runpy.run_module(sys.argv[0], run_name="__main__")
"""


class Hold:
    """What holds one worker."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._pipe = folder / "held-by"
        os.mkfifo(self._pipe)
        patch.setenv("HELD_BY", str(self._pipe))

    def python(self) -> Path:
        """A Python whose `-P -m dear_tui.worker` is held."""
        path = self._pipe.with_name("held-python")
        path.write_text(f"#!{sys.executable}\n{HELD}{RUN_MODULE}")
        path.chmod(0o755)
        return path

    def let_go(self) -> None:
        """Once it stands there."""
        until(self._is_met, "a worker that has written its first part")

    def _is_met(self) -> bool:
        try:
            os.close(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody is at the other end
            return False
        return True
