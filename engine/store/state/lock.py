"""The store's locks: one process at a time writes campaigns, one is the worker. The kernel frees a dead one's."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from engine.errors import UnreachableError
from engine.store.files import make_private, opened_own, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Role = Literal["worker", "foreground"]

_PATIENCE_SECONDS = 0.5
"""how long a lock is asked for again and again: a process that only reads takes it for a moment, too"""
_PAUSE_SECONDS = 0.01
_BYTES = 32
"""length of a lock file: it is always the same, so that on a full disk its text can still be replaced"""


@dataclass(frozen=True)
class Holder:
    """The process that has a lock."""

    pid: int | None
    """None where it has not said so yet"""
    role: Role

    def __str__(self) -> str:
        where = "as its worker" if self.role == "worker" else "in the foreground"
        return f"process {self.pid or 'unknown'} is at work in this store {where}"


def make_lock(path: Path) -> None:
    """Make a lock file, with the room for what is written to it; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    make_private(path)
    with opened_own(path, os.O_RDWR) as descriptor:
        if os.fstat(descriptor).st_size < _BYTES:
            os.pwrite(descriptor, b"\n", _BYTES - 1)


@contextmanager
def hold(path: Path, role: Role, goes_on: bool = False) -> Iterator[None]:
    """Have the lock, with one's process id in the file.

    Args:
        path: of the lock.
        role: as what.
        goes_on: the process will take the lock again soon, so its name stays in the file; see `expected`.

    Raises:
        UnreachableError: another process has it, or it cannot be written.
    """
    with opened_own(path, os.O_RDWR) as descriptor:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise _taken(path)
            time.sleep(_PAUSE_SECONDS)
        try:
            _write(descriptor, f"{os.getpid()} {role}")
        except OSError as error:
            raise unwritable(path, error) from None
        try:
            yield
        finally:
            if not goes_on:
                with suppress(OSError):
                    _write(descriptor, "")


def holder(path: Path) -> Holder | None:
    """Who has the lock; None where nobody has, whatever a process that is dead by now left in the file."""
    try:
        with opened_own(path, os.O_RDONLY) as descriptor:
            return None if _try_lock(descriptor, fcntl.LOCK_SH) else _read(path)
    except OSError:  # not there yet, or not for us to read
        return None


def expected(path: Path) -> bool:
    """Whether a living process has left the free lock only for a moment, such as a `run` between two of its configs."""
    try:
        left = _read(path)
    except FileNotFoundError:
        return False
    return left.role == "foreground" and left.pid is not None and _lives(left.pid)


def _taken(path: Path) -> UnreachableError:
    by = _read(path)
    ends = "stop it with `dear-tui worker stop`" if by.role == "worker" else "wait for its end"
    return UnreachableError(f"{path.parent}: {by}; queue a campaign behind it with `dear-tui submit`, or {ends}")


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(descriptor: int, text: str) -> None:
    os.pwrite(descriptor, text.ljust(_BYTES - 1).encode() + b"\n", 0)


def _lives(pid: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # of a file that was damaged
        return False
    except PermissionError:
        pass
    return True


def _read(path: Path) -> Holder:
    with opened_own(path, os.O_RDONLY) as descriptor:
        text = os.pread(descriptor, _BYTES, 0).decode(errors="replace")
    pid, role, *_ = [*text.replace("\0", " ").split(), "", ""]
    return Holder(int(pid) if pid.isdecimal() else None, cast("Role", role) if role == "worker" else "foreground")
