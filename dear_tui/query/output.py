"""Files and folders that a command writes for its user: there when whole, and never in the store."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.paths import LONGEST_NAME_BYTES, is_folder, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_output(output: Path, store: Path, option: str = "--output") -> None:
    """Refuse to write where there is no folder, into the store, or where DuckDB could not.

    Raises:
        InputError: one of these, or nothing can have this name.
    """
    if not is_folder(output.parent):
        raise InputError(f"{shown(output)}: there is no folder {shown(output.parent)}; give {option} another file")
    found = check_outside(output, store, option)
    if shown(found) != str(found):
        raise InputError(f"{shown(found)}: its path is not UTF-8, as DuckDB needs it; give {option} another place")


def check_outside(output: Path, store: Path, option: str) -> Path:
    """Where a file or folder is to be written, its links followed, which is not in the store.

    Raises:
        InputError: it is, or nothing can have this name.
    """
    with _explained(output, option):
        with suppress(FileNotFoundError):
            output.lstat()  # which says that a name is too long
        found = output.resolve()
        is_in_store = found.is_relative_to(store.resolve())
    if is_in_store:
        raise InputError(
            f"{shown(output)}: lies in the store, which is no place for other files; give {option} another one"
        )
    return found


def check_named(option: str, path: Path | None, endings: tuple[str, ...], store: Path) -> None:
    """Refuse a file that could not be written, or whose name does not say what is written.

    Raises:
        InputError: one of these.
    """
    if path is None:
        return
    if path.suffix not in endings:
        raise InputError(f"{path}: {option} writes {' or '.join(endings)}; give it a name that ends so")
    check_output(path, store, option)


@contextmanager
def replaced_file(output: Path, option: str = "--output") -> Iterator[Path]:
    """Where to write: beside the file that the option asks for, which it becomes when all went well.

    Raises:
        InputError: it cannot become that file.
    """
    written = _beside(output)
    try:
        yield written
        with _explained(output, option):
            written.replace(output)
    finally:
        with suppress(OSError):
            written.unlink(missing_ok=True)


@contextmanager
def replaced_folder(output: Path) -> Iterator[Path]:
    """A new folder to write into, which becomes the one asked for; in one that is there, its files replace others.

    Raises:
        InputError: it cannot be made, or cannot become that folder.
    """
    written = _beside(output)
    with _explained(output):
        written.mkdir()
    try:
        yield written
        with _explained(output):
            if output.exists():
                for path in written.iterdir():
                    path.replace(output / path.name)
            else:
                written.rename(output)
    finally:
        shutil.rmtree(written, ignore_errors=True)


def _beside(output: Path) -> Path:
    """A name in the same folder, of which the file system takes all the bytes where it takes those of the output's."""
    added = f".{os.getpid()}.tmp"
    kept = os.fsencode(output.name)[: LONGEST_NAME_BYTES - len(added)]
    return output.with_name(kept.decode(errors="ignore") + added)


@contextmanager
def _explained(output: Path, option: str = "--output") -> Iterator[None]:
    """What the system says against a place becomes a sentence.

    Raises:
        InputError: with it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # pathlib raises the latter for links in a circle
        reason = error.strerror if isinstance(error, OSError) else "a link that leads to itself"
        raise InputError(f"{shown(output)}: cannot be written ({reason}); give {option} another place") from None
