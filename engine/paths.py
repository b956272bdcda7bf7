"""Paths that a user gives: what lies there, asked so that the answer is never a traceback or an endless wait."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_NAME_BYTES = 255
"""of the name of one file or folder, on every file system in use"""

NO_HOME = Path(os.devnull) / "there is no home folder"

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class MissingFileError(InputError):
    """There is nothing under that name."""


def expanded(path: Path) -> Path:
    """The path with `~` as the home folder; `~name` of a name that there is no user of stays, as in a shell."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def own_folder(find: Callable[..., Path]) -> Path:
    """The program's own folder of a kind, by platformdirs' function for it.

    A process of a user without a home, as in a container, has none: what cannot be made stands for it, so that nothing
    is read there, and that nothing can be written is said as of any other folder.
    """
    try:
        return find("dear-tui", appauthor=False)
    except RuntimeError:
        return NO_HOME


def present_folder() -> Path:
    """The folder that the program was started in; the home, or the topmost one, where it has been removed since."""
    try:
        return Path.cwd()
    except OSError:
        return next(folder for folder in (expanded(Path("~")), Path("/")) if is_folder(folder))


def folder_of(file: Path) -> Path:
    """Where relative paths in a file start: its own folder, and the present one for what is piped in."""
    found = file.resolve()
    return found.parent if is_file(found) else present_folder()


is_file, is_folder, exists = os.path.isfile, os.path.isdir, os.path.exists
"""Whether a regular file, a folder, or anything can be seen there; unlike pathlib's, these say no instead of raising
where a folder above may not be searched, a name is too long, or links lead in a circle."""


def shown(path: Path | str) -> str:
    """A path as text that can be printed and stored; bytes that are no UTF-8 are written as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def free_name(folder: Path, stem: str, endings: Sequence[str] = ("",)) -> str:
    """A name of which nothing is in the folder with any of the endings; where the stem is taken, a number is added."""
    number, name = 1, stem
    while any(exists(folder / f"{name}{ending}") for ending in endings):
        number += 1
        name = f"{stem}-{number}"
    return name


def replace_text(path: Path, text: str) -> None:
    """Write a text as `replace_bytes` does.

    Raises:
        OSError: it cannot be written.
        UnicodeEncodeError: the text has what is no character, as from a file's name that is no UTF-8.
    """
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file of the user's anew, in one step: where that fails, as on a full disk, the old one stays.

    A link, as into somebody's dotfiles, stays one, and the file keeps its mode.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(os.path.realpath(path))
    written = path.with_name(f".{os.getpid()}-{threading.get_native_id()}.tmp")
    try:
        written.write_bytes(content)
        with suppress(FileNotFoundError):
            written.chmod(stat.S_IMODE(path.stat().st_mode))
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)


def file_bytes(path: Path, mend: str) -> int:
    """The size of a regular file. A pipe, on which reading waits without end, is refused before it is opened.

    Args:
        path: the file.
        mend: what the user should do where it is none, for the end of the sentence.

    Raises:
        InputError: it is missing, cannot be seen, or is no regular file.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        what = "is a link that leads nowhere" if path.is_symlink() else "there is no such file"
        raise MissingFileError(f"{shown(path)}: {what}; {mend}") from None
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror}); {mend}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_kind, name in KINDS if is_kind(status.st_mode)), "no regular file")
        raise InputError(f"{shown(path)}: is {kind}, not a file; {mend}")
    return status.st_size
