"""Writes into the user's config what is chosen in the terminal, in a thread."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App


class SettingsKeeper:
    """Nothing is kept where there is no config."""

    def __init__(self, app: App[str], path: Path | None) -> None:
        self._app = app
        self._path = path
        self._chosen: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._lock = threading.Lock()
        """of the file"""

    def keep(self, name: str, value: Any) -> None:
        """Write a value, or those values of a table, for the next time."""
        if self._path is not None:
            self._chosen.put((name, value))
            self._app.run_worker(self._write, group="write_settings", thread=True)

    def _write(self) -> None:
        from dear_tui.settings.settings_file import remember

        with self._lock:  # of two that are chosen in haste, the last one stays
            while self._path is not None and not self._chosen.empty():
                name, value = self._chosen.get()
                try:
                    remember(self._path, name, value)
                except InputError as error:
                    self._app.call_from_thread(self._app.notify, str(error), severity="warning", markup=False)
