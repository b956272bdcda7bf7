"""Opening the terminal program."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from dear_tui.cli.printing.say import tell
from engine.errors import DearError, InputError

if TYPE_CHECKING:
    from pathlib import Path


PATIENCE = 1.0
"""seconds that a store has to answer before the screens open without having heard from it"""


def is_terminal() -> bool:
    """Whether full-screen drawing is possible here."""
    return _has_terminal() and sys.stderr.isatty()


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def open_terminal(store: Path | None, campaign: int | None = None) -> None:
    """Open the screens on a store, at one campaign or at the list of all.

    Raises:
        InputError: if there is no terminal to draw in.
        ConfigError: if the user's config is wrong.
        UnreachableError: if the store cannot be read.
        DearError: if the screens broke down.
    """
    if not is_terminal():
        if _has_terminal():
            raise InputError("standard error leads elsewhere, and the screens are drawn there; run it without `2>`")
        raise InputError("there is no terminal to draw in (or TERM is dumb); use the commands: dear-tui --help")
    from dear_tui.terminal.heaps import share_heaps
    from dear_tui.terminal.threads import DaemonThreads

    share_heaps()
    opening = DaemonThreads().submit(_check_store, store)  # meanwhile, the screens are imported
    from dear_tui.app import DearApp
    from dear_tui.settings.settings_file import load_settings
    from engine.store import store_path

    settings = load_settings()
    with suppress(TimeoutError):  # of a slow disk the screens say that they read
        opening.result(PATIENCE)
    app = DearApp(store_path(store), campaign, settings=settings)
    message = app.run()
    if app.crash:
        raise DearError(app.crash)
    if message:
        tell(message)


def _check_store(store: Path | None) -> None:
    """What is in the way is said here, not on a screen."""
    from engine.store import Store, store_path

    Store.open(store_path(store), read_only=True).close()
