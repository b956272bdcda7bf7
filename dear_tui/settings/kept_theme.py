"""The theme: the one that the user chose last, written into the config as soon as another is chosen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from textual.app import App
    from textual.theme import Theme

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
        self._kept = self.first
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Keep what is chosen from now on."""
        self._app.theme_changed_signal.subscribe(self._app, self._keep, immediate=True)

    def _keep(self, theme: Theme) -> None:
        if self._path is not None and theme.name != self._kept:
            self._kept = theme.name
            self._app.run_worker(self._write, group="write_settings", thread=True)

    def _write(self) -> None:
        from dear_tui.settings.settings_file import remember_theme

        if self._path is None:
            return
        with self._lock:  # of two that are chosen in haste, the last one stays
            try:
                remember_theme(self._path, self._app.theme)
            except InputError as error:
                self._app.call_from_thread(self._app.notify, str(error), severity="warning", markup=False)
