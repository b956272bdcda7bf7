"""A little room kept back on the disk, so that a full one can still be reported in state.sqlite."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import UnreachableError
from engine.store.files import make_private, opened_own

if TYPE_CHECKING:
    from pathlib import Path

BYTES = 1 << 18


def keep_reserve(path: Path) -> None:
    """Take the room, unless it is taken already or there is none."""
    with suppress(OSError, UnreachableError):
        make_private(path)
        with opened_own(path, os.O_WRONLY) as descriptor:
            os.pwrite(descriptor, os.urandom(BYTES), 0)  # nothing that a file system could leave out


def give_up_reserve(path: Path) -> None:
    """Leave the room to what is more important."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
