"""The theme: the one that the user chose last, written into the config when it is chosen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from textual.app import App

    from dear_tui.settings.settings import Settings

ANSI_THEME = "ansi-dark"
"""For terminals of 16 colours: theirs, where other themes would have two classes fall on one."""


class KeptTheme:
    """Nothing is kept where there is no config, nor of a terminal with 16 colours."""

    def __init__(self, app: App[str], settings: Settings) -> None:
        self._app = app
        self.has_few_colours = app.console.color_system == "standard"
        """of the terminal"""
        self.first = ANSI_THEME if self.has_few_colours else settings.theme or app.theme
        """to begin with"""
        self._path = None if self.has_few_colours else settings.path
        self._chosen = self.first
        self._lock = threading.Lock()

    def preview(self, theme: str) -> None:
        """Show a theme for as long as it is looked at."""
        self._app.theme = theme

    def take_back(self) -> None:
        """Show again the one that was chosen."""
        self._app.theme = self._chosen

    def choose(self, theme: str) -> None:
        """Show a theme from now on, and keep it for the next time."""
        self._app.theme = self._chosen = theme
        if self._path is not None:
            self._app.run_worker(self._write, group="write_settings", thread=True)

    def _write(self) -> None:
        from dear_tui.settings.settings_file import remember_theme

        if self._path is None:
            return
        with self._lock:  # of two that are chosen in haste, the last one stays
            try:
                remember_theme(self._path, self._chosen)
            except InputError as error:
                self._app.call_from_thread(self._app.notify, str(error), severity="warning", markup=False)
