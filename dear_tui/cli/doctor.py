"""`dear-tui doctor`: what this machine offers, and what would get in the way."""

from __future__ import annotations

import json
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.cli.printing.say import say, say_wrapped
from engine.errors import DearError
from engine.paths import exists, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGES = ("dear-tui", "torch", "torchvision", "numpy", "duckdb", "textual")
WARNING = "WARNING: "
"""how a finding begins that would get in the way"""
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "lustre", "beegfs", "gpfs", "ceph", "fuse.sshfs", "9p", "afs"}


def doctor(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check this machine: versions, devices, store, terminal ..."""
    from engine.store import store_path

    found = list(findings(store_path(store)))
    if as_json:
        say(json.dumps(list(_as_json(found)), indent=2))
        return
    for topic, finding in found:
        say_wrapped(f"{topic:12} {finding}", hanging=13)


def _as_json(found: Iterable[tuple[str, str]]) -> Iterator[dict[str, str | bool]]:
    """An object for each line; one that goes on with a topic has it, too."""
    last = ""
    for topic, finding in found:
        last = topic or last
        yield {"topic": last, "finding": finding.removeprefix(WARNING), "warning": finding.startswith(WARNING)}


def findings(store: Path) -> Iterator[tuple[str, str]]:
    """Topic and finding, a line each; what goes on with a topic has an empty one."""
    from engine.injection.numerics import list_devices

    yield "python", sys.version.split()[0]
    for package in PACKAGES:
        yield package, version(package)
    yield from list_devices()
    yield from _store(store)
    yield from _worker(store)
    yield from _own_files()
    yield from _terminal()


def _worker(store: Path) -> Iterator[tuple[str, str]]:
    from dear_tui.worker.process import log_path
    from engine.store import Store

    try:
        with Store.open(store, read_only=True) as opened:
            worker, waiting = opened.worker(), len(opened.queue.waiting()) if opened.campaigns() else 0
    except DearError as error:
        yield "worker", f"{WARNING}{error}"
        return
    if not worker.running:
        yield "worker", f"does not run; {waiting} queued"
    elif worker.is_late:
        yield "worker", f"{WARNING}process {worker.pid} does not answer; dear-tui worker stop, twice, ends it"
    else:
        yield (
            "worker",
            f"process {worker.pid}, " + (f"campaign {worker.campaign}" if worker.campaign else "at no campaign"),
        )
    log = log_path(store)
    yield "worker log", f"{log}{'' if exists(log) else ' (made by the first worker)'}"


def _own_files() -> Iterator[tuple[str, str]]:
    """The user's config of the screens, and what is left of a crash."""
    from dear_tui.settings.settings_file import load_settings, settings_path
    from dear_tui.terminal.crash import crash_log

    try:
        path = settings_path()
        yield "config", f"{path}{'' if exists(path) else ' (none: all settings are the defaults)'}"
        load_settings()
    except DearError as error:
        for line in str(error).splitlines():
            yield "", f"{WARNING}{line}"
    log = crash_log()
    yield "crash log", f"{log}{'' if exists(log) else ' (none: nothing crashed)'}"


def _store(store: Path) -> Iterator[tuple[str, str]]:
    existing = next(path for path in (store, *store.absolute().parents) if exists(path))
    yield "store", f"{store}{'' if exists(store) else ' (made by the first campaign)'}"
    if exists(store) and not is_folder(store):
        yield "", f"{WARNING}this is a file; give --store a folder"
    elif not os.access(existing, os.W_OK):
        yield "", f"{WARNING}not writable; give --store a folder that is"
    yield (
        "free space",
        f"{shutil.disk_usage(existing).free / 1e9:,.0f} GB (a full campaign of 166 million pairs takes 0.12 GB)",
    )
    kind = file_system(existing)
    if kind in NETWORK_FILE_SYSTEMS:
        yield "", f"{WARNING}{kind} is a network file system; use the store from one machine only"


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
        yield "", f"{WARNING}smaller than 80x24; the screens will be cut"
    encoding = (sys.stdout.encoding or "").lower()
    if encoding.replace("-", "") != "utf8":
        yield "", f"{WARNING}the encoding is {encoding or 'unknown'}; charts need UTF-8"
    yield "colours", _colours()
    yield "clipboard", _clipboard()


def _colours() -> str:
    """How many colours the terminal says it has."""
    from rich.console import Console

    if os.environ.get("NO_COLOR"):
        return "none: NO_COLOR is set; signs tell the severities apart"
    names = {"truecolor": "16 million", "256": "256", "standard": "16"}
    system = Console(file=sys.stdout, force_terminal=True).color_system
    return names.get(system or "", "none that the terminal tells of; signs tell the severities apart")


def _clipboard() -> str:
    """What is copied goes to the terminal, by the sequence OSC 52; nothing answers whether it takes it."""
    if os.environ.get("TMUX"):
        return "by the terminal (OSC 52); in tmux it needs: set -g set-clipboard on"
    if os.environ.get("STY"):
        return f"{WARNING}GNU screen passes nothing that is copied to the terminal"
    if os.environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return f"{WARNING}Terminal.app takes nothing that is copied; another terminal does"
    return "by the terminal (OSC 52), also through ssh, where the terminal allows it"
