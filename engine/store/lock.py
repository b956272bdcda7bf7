"""The store's locks: one process at a time writes campaigns, one is the worker. The kernel frees a dead one's."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from engine.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Role = Literal["worker", "foreground"]

_PATIENCE_SECONDS = 0.5
"""how long to ask again: whoever only looks has the lock for a moment too"""
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class Holder:
    """The process that has a lock."""

    pid: int | None
    """None where it has not said so yet"""
    role: Role

    def __str__(self) -> str:
        where = "as its worker" if self.role == "worker" else "in the foreground"
        return f"process {self.pid or 'unknown'} is at work in this store {where}"


@contextmanager
def hold(path: Path, role: Role) -> Iterator[None]:
    """Have the lock, with one's process id in the file.

    Raises:
        UnreachableError: another process has it.
    """
    with path.open("r+", encoding="utf-8") as file:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise _taken(path)
            time.sleep(_PAUSE_SECONDS)
        text = f"{os.getpid()} {role}\n".encode()
        os.pwrite(file.fileno(), text, 0)
        os.ftruncate(file.fileno(), len(text))
        yield


def holder(path: Path) -> Holder | None:
    """Who has the lock; None where nobody has, whatever a process that is dead by now left in the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # not there yet, or not for us to read
        return None
    try:
        return None if _try_lock(descriptor, fcntl.LOCK_SH) else _read(path)
    finally:
        os.close(descriptor)


def _taken(path: Path) -> UnreachableError:
    by = _read(path)
    ends = "end it with `dear-tui worker stop`" if by.role == "worker" else "wait for its end"
    return UnreachableError(f"{path.parent}: {by}; queue the campaign with `dear-tui submit`, or {ends}")


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> Holder:
    pid, _, role = path.read_text(encoding="utf-8").strip().partition(" ")
    return Holder(int(pid) if pid.isdigit() else None, cast("Role", role) if role == "worker" else "foreground")
