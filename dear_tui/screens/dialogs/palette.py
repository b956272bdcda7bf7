"""The list of all actions."""

from __future__ import annotations

from textual.command import CommandPalette

from dear_tui.screens.dialogs.dialog import AnswersOnce


class Palette(AnswersOnce, CommandPalette):
    """Textual's own, which two keys in one read would close twice.

    It has no id, which Textual's has: one that is opened while the last one is still closing would have the same.
    """
