"""The list of themes: each is shown while the cursor is on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import Command, SimpleCommand, SimpleProvider

from dear_tui.screens.dialogs.dialog import Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.screen import Screen
    from textual.widgets import OptionList

    from dear_tui.settings.kept_theme import KeptTheme


class ThemePalette(Palette):
    """Left without choosing, it leaves the theme as it was."""

    def __init__(self, screen: Screen[Any], themes: Sequence[str], kept: KeptTheme) -> None:
        """Over a screen; `kept` is told which theme is looked at, and which is chosen."""
        commands = [SimpleCommand(name, partial(kept.choose, name), None) for name in themes]
        provider = SimpleProvider(screen, list(commands))
        super().__init__(providers=[provider], placeholder="Search for themes…")  # type: ignore[list-item] # as Textual's
        self._kept = kept

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the theme under the cursor."""
        if isinstance(event.option, Command):
            self._kept.preview(str(event.option.hit.text))

    def on_unmount(self) -> None:
        """Take back what was only looked at; what was chosen stays."""
        self._kept.take_back()
