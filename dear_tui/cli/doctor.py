"""`dear-tui doctor`: what this machine offers, and what would get in the way."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui.cli.options import StoreOption
from dear_tui.cli.printing.say import say
from engine.paths import exists, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("dear-tui", "torch", "torchvision", "numpy", "duckdb", "textual")
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "lustre", "beegfs", "gpfs", "ceph", "fuse.sshfs", "9p", "afs"}


def doctor(store: StoreOption = None) -> None:
    """Check this machine: versions, devices, store, terminal."""
    from engine.store import store_path

    for topic, finding in findings(store_path(store)):
        say(f"{topic:12} {finding}")


def findings(store: Path) -> Iterator[tuple[str, str]]:
    """Topic and finding, a line each."""
    from engine.injection.numerics import list_devices

    yield "python", sys.version.split()[0]
    for package in PACKAGES:
        yield package, version(package)
    yield from list_devices()
    yield from _store(store)
    yield from _terminal()


def _store(store: Path) -> Iterator[tuple[str, str]]:
    existing = next(path for path in (store, *store.absolute().parents) if exists(path))
    yield "store", f"{store}{'' if exists(store) else ' (made by the first campaign)'}"
    if exists(store) and not is_folder(store):
        yield "", "WARNING: this is a file; give --store a folder"
    elif not os.access(existing, os.W_OK):
        yield "", "WARNING: not writable; give --store a folder that is"
    yield (
        "free space",
        f"{shutil.disk_usage(existing).free / 1e9:,.0f} GB (a full campaign of 166 million pairs takes 0.12 GB)",
    )
    kind = file_system(existing)
    if kind in NETWORK_FILE_SYSTEMS:
        yield "", f"WARNING: {kind} is a network file system; use the store from one machine only"


def file_system(path: Path) -> str:
    """The type of the file system that holds `path`; empty where the system does not tell."""
    import psutil

    kinds = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    resolved = path.resolve()
    return next((kinds[parent] for parent in (resolved, *resolved.parents) if parent in kinds), "")


def _terminal() -> Iterator[tuple[str, str]]:
    from dear_tui.cli.terminal import is_terminal

    size = shutil.get_terminal_size()
    yield "terminal", f"TERM={os.environ.get('TERM', '')} {size.columns}x{size.lines}"
    if not is_terminal():
        yield "", "the screens need a terminal; the commands work without one"
    elif size.columns < 80 or size.lines < 24:
        yield "", "WARNING: smaller than 80x24; the screens will be cut"
    encoding = (sys.stdout.encoding or "").lower()
    if encoding.replace("-", "") != "utf8":
        yield "", f"WARNING: the encoding is {encoding or 'unknown'}; charts need UTF-8"
