"""Files and folders that a command writes for its user: there when whole, and never in the store."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.paths import is_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_output(output: Path, store: Path) -> None:
    """Refuse to write where there is no folder, or into the store.

    Raises:
        InputError: one of both.
    """
    if not is_folder(output.parent):
        raise InputError(f"{output}: there is no folder {output.parent}; give --output another file")
    if output.resolve().is_relative_to(store.resolve()):
        raise InputError(f"{output}: lies in the store, which is no place for other files; give --output another one")


@contextmanager
def replaced_file(output: Path) -> Iterator[Path]:
    """Where to write: beside the file asked for, which it becomes when all went well."""
    written = _beside(output)
    try:
        yield written
        written.replace(output)
    finally:
        written.unlink(missing_ok=True)


@contextmanager
def replaced_folder(output: Path) -> Iterator[Path]:
    """A new folder to write into, which becomes the one asked for; in one that is there, its files replace others."""
    written = _beside(output)
    written.mkdir()
    try:
        yield written
        if output.exists():
            for path in written.iterdir():
                path.replace(output / path.name)
        else:
            written.rename(output)
    finally:
        shutil.rmtree(written, ignore_errors=True)


def _beside(output: Path) -> Path:
    return output.with_name(f"{output.name}.{os.getpid()}.tmp")
