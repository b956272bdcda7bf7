"""The theme: the one that the user chose last, written into the config when it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

    from dear_tui.settings.settings import Settings
    from dear_tui.settings.settings_keeper import SettingsKeeper

ANSI_THEME = "ansi-dark"
"""For terminals of 16 colours: theirs, where other themes would have two classes fall on one."""


class KeptTheme:
    """Nothing is kept of a terminal with 16 colours."""

    def __init__(self, app: App[str], settings: Settings, keeper: SettingsKeeper) -> None:
        self._app = app
        self.has_few_colours = app.console.color_system == "standard"
        """of the terminal"""
        self.first = ANSI_THEME if self.has_few_colours else settings.theme or app.theme
        """to begin with"""
        self._keeper = keeper
        self._chosen = self.first

    def preview(self, theme: str) -> None:
        """Show a theme for as long as it is looked at."""
        self._app.theme = theme

    def take_back(self) -> None:
        """Show again the one that was chosen."""
        self._app.theme = self._chosen

    def choose(self, theme: str) -> None:
        """Show a theme from now on, and keep it for the next time."""
        self._app.theme = self._chosen = theme
        if not self.has_few_colours:
            self._keeper.keep("theme", theme)
