"""Files that are either there, whole and durable, or not there at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from engine.errors import DiskFullError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESERVE_BYTES = 1 << 18


def unfinished(path: Path) -> Path:
    """The name `path` is written under until it is whole; nothing reads `*.tmp`."""
    return path.with_name(path.name + ".tmp")


@contextmanager
def opened_own(path: Path, flags: int) -> Iterator[int]:
    """The descriptor of a file of the store itself, closed at the end.

    Where others may write to the folder, they may have put a link there that leads to another file of the owner's.

    Raises:
        UnreachableError: there is something else than a file under this name.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _foreign(path) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _foreign(path)
        yield descriptor
    finally:
        os.close(descriptor)


def check_own(path: Path) -> None:
    """Whether a file of the store itself is one, or is not there: for a library that opens it by its name.

    Raises:
        UnreachableError: there is something else under this name.
    """
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise _foreign(path)


def _foreign(path: Path) -> UnreachableError:
    return UnreachableError(f"{path}: is a link, a folder or a device instead of a file; move it away and run again")


def lack(path: Path) -> str | None:
    """What is wrong where there is no file to read; None where there is one."""
    if path.is_file():
        return None
    return "not a file" if os.path.lexists(path) else "missing"


def remove(path: Path) -> None:
    """Delete a file, a link or a folder with all that is in it, if there is one of this name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def begin(path: Path) -> Path:
    """The unfinished file of `path`, which is not there: what a killed process left or another user put is deleted."""
    remove(unfinished(path))
    return unfinished(path)


def sync(path: Path) -> None:
    """Flush a file, or the names in a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Wait until no other process is in here for this folder: for what takes moments and must not be done twice."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_busy(folder: Path) -> bool:
    """Whether another process, or another thread, is in `exclusive` for this folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def make_private_folder(path: Path) -> None:
    """Make a folder for the owner only; one that is there and holds something keeps its mode."""
    is_new = not path.exists() or not any(path.iterdir())
    for folder in reversed([folder for folder in path.parents if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        # whatever the umask, its owner goes on from here, and nobody else puts another store in the place of this one
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) & 0o755 | 0o700)
    path.mkdir(mode=0o700, exist_ok=True)
    if is_new:
        path.chmod(0o700)  # whatever the umask


def find_intruders(folder: Path) -> str | None:
    """Who else may change what is in a folder, in a sentence; None where nobody may."""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        return f"{folder}: belongs to another user, number {found.st_uid}, who may change its results; `chown` it"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{folder}: others may write to it, and so change its results; `chmod go-w` it"
    return None


@contextmanager
def private_files() -> Iterator[None]:
    """What this process makes meanwhile is for the owner only from the first byte on, DuckDB's own files too."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def check_writable(folder: Path) -> None:
    """Say so at once, and why, where nothing can be written.

    Raises:
        OSError: nothing can.
    """
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(reason, os.strerror(reason))


def make_private(path: Path) -> None:
    """Make a file for the owner only, empty; one that is there stays as it is.

    Raises:
        UnreachableError: there is something else under this name.
        OSError: it cannot be made.
    """
    try:
        with opened_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            os.fchmod(descriptor, 0o600)  # whatever the umask
    except FileExistsError:
        check_own(path)


def publish(path: Path, mode: int = 0o600) -> None:
    """Make `path` out of its unfinished file, durably and, if nothing else is said, for the owner only."""
    written = unfinished(path)
    written.chmod(mode)
    sync(written)
    written.rename(path)
    sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a small file in one step."""
    try:
        begin(path).write_text(text, encoding="utf-8")
        publish(path)
    except OSError:
        unfinished(path).unlink(missing_ok=True)
        raise


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def set_aside(*paths: Path) -> None:
    """Rename what is bad to `*.bad`, which nothing reads, in this order; what is not there is passed over."""
    for path in paths:
        if os.path.lexists(path):
            bad = path.with_name(path.name + ".bad")
            remove(bad)
            path.rename(bad)


def remove_unfinished(folder: Path) -> None:
    """Delete what a killed process left half-written in a folder; nobody else may be writing there."""
    for path in [*folder.glob("*.tmp"), *folder.glob("*.tmp.wal")]:  # DuckDB's own log beside its file
        with suppress(OSError):
            remove(path)


def lack_of_room(error: Exception) -> str | None:
    """The system's words for it where a write failed for want of room; DuckDB wraps them in its own."""
    return next((why for why in map(os.strerror, (errno.ENOSPC, errno.EDQUOT)) if why in str(error)), None)


def unwritable(path: Path, error: Exception) -> UnreachableError:
    """The error for a failed write, in one sentence; a `DiskFullError` where there was no room."""
    if why := lack_of_room(error):
        return DiskFullError(f"{path}: cannot be written ({why}); free some space, what was committed is kept")
    reason = str(error).splitlines()[0]
    return UnreachableError(
        f"{path}: cannot be written ({reason}); check the disk and run again, what was committed is kept"
    )


def keep_reserve(path: Path) -> None:
    """Fill the reserve: a file whose room is given up on a full disk, so that state.sqlite can say what happened."""
    with suppress(OSError, UnreachableError):
        make_private(path)
        with opened_own(path, os.O_WRONLY) as descriptor:
            os.pwrite(descriptor, os.urandom(RESERVE_BYTES), 0)  # nothing that a file system could leave out


def give_up_reserve(path: Path) -> None:
    """Leave the room to what is more important."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
