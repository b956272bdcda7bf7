"""A report in a folder: the page, the numbers, each table and each figure in files of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.analysis.renderers.registry import render
from engine.errors import InputError
from engine.paths import replace_bytes, shown
from engine.report.formats import JSON
from engine.report.writers.extra import MissingExtraError
from engine.report.writers.registry import BINARIES, PICTURES, TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from engine.report.document import Document

TABLES, FIGURES = "tables", "figures"
ENDINGS = {"text": "txt", "csv": "csv", "md": "md", "latex": "tex", "html": "html"}
"""format of tables and of whole texts -> ending of its files"""

OF_TABLES = ("csv", "md", "latex")
"""formats in which each table has a file of its own"""


@dataclass(frozen=True)
class File:
    """One that is to be written."""

    path: Path
    write: Callable[[], bytes]


def write_folder(
    folder: Path, document: Document, record: dict[str, Any], format_name: str | None, force: bool = False
) -> tuple[list[Path], list[str]]:
    """Write a report.

    Args:
        folder: made where it is not there.
        document: the report.
        record: what report.json holds.
        format_name: the only one to write; None: all.
        force: whether files that are there already may be replaced.

    Returns:
        The files, and a sentence for each format that could not be written, because something is not installed.

    Raises:
        InputError: a file is there already, or cannot be written; or the only format cannot be.
    """
    files = [*_files(folder, document, record, format_name)]
    for path in {parent for each in files for parent in (each.path.parent, folder)}:
        if path.exists() and not path.is_dir():
            raise InputError(f"{shown(path)}: is a file, where the report has a folder; give --out another one")
    for each in files:
        if each.path.is_dir():
            raise InputError(f"{shown(each.path)}: is a folder, where the report has a file; give --out another one")
    taken = [each.path for each in files if each.path.exists()]
    if taken and not force:
        more = f" and {len(taken) - 1} more files of the report are" if len(taken) > 1 else " is"
        raise InputError(
            f"{shown(taken[0])}{more} there already; add --force to replace them, or give --out another folder"
        )
    written: list[Path] = []
    missing: dict[str, None] = {}
    for each in files:
        try:
            content = each.write()
        except MissingExtraError as error:
            if format_name is not None:
                raise
            missing[str(error)] = None
            continue
        _write(each.path, content)
        written.append(each.path)
    return written, list(missing)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(path, content)
    except OSError as error:
        raise InputError(
            f"{shown(path)}: cannot be written ({error.strerror}); give --out a folder that can be"
        ) from None


def _files(folder: Path, document: Document, record: dict[str, Any], format_name: str | None) -> Iterator[File]:
    def is_asked(name: str) -> bool:
        return format_name in (None, name)

    whole = document.with_legends_once()
    for name in ("html", "text", "md"):
        if is_asked(name):
            yield File(folder / f"report.{ENDINGS[name]}", lambda name=name: TEXTS[name](whole).encode())  # type: ignore[misc]
    if is_asked(JSON):
        yield File(folder / "report.json", lambda: f"{json.dumps(record, indent=2)}\n".encode())
    for name in OF_TABLES:
        if is_asked(name):
            for each in document.tables():
                yield File(
                    folder / TABLES / f"{each.name}.{ENDINGS[name]}",
                    lambda table=each.table, name=name: render(table, name).encode(),  # type: ignore[misc]
                )
    for name, draw in PICTURES.items():
        if is_asked(name) or (name == "svg" and format_name == "md"):
            for picture in document.pictures():
                yield File(
                    folder / FIGURES / f"{picture.name}.{name}",
                    lambda picture=picture, draw=draw: draw(picture),  # type: ignore[misc]
                )
    for name, make in BINARIES.items():
        if is_asked(name):
            yield File(folder / f"report.{name}", lambda make=make: make(whole))  # type: ignore[misc]
