"""The last line: the keys that matter here.

Textual's Footer is a widget for every key, all made anew whenever the focus moves: on a busy machine that alone is
longer than a key may take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import App
from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from textual import events
    from textual.screen import Screen

GAP = " "
MORE = "…"


@dataclass(frozen=True)
class ShownKey:
    """One key of the line."""

    key: str
    """that a click on it presses"""
    display: str
    name: str
    enabled: bool
    everywhere: bool
    """these stay where there is no room for all"""

    @property
    def width(self) -> int:
        return len(f"{self.display} {self.name}{GAP}")

    def text(self) -> Content:
        style = "" if self.enabled else "dim"
        return Content.assemble((self.display, f"bold $footer-key-foreground {style}"), (f" {self.name}", style), GAP)


class KeyBar(Static):
    """The screen's keys in one line; those that do not fit are in the help."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom; height: 1; padding: 0 1;
        color: $footer-description-foreground; background: $footer-background;
    }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[ShownKey] = []

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self.show_keys)

    def show_keys(self, screen: Screen[object]) -> None:
        """List them anew; painted only when they are others."""
        actions: dict[str, ShownKey] = {}
        for node, binding, enabled, _tooltip in screen.active_bindings.values():
            if binding.show:
                display = self.app.get_key_display(binding)
                shown = ShownKey(binding.key, display, binding.description, enabled, isinstance(node, App))
                actions.setdefault(binding.action, shown)
        keys = list(actions.values())
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Content:
        """What fits."""
        fitting = self._fitting()
        more = Content(f"{MORE}{GAP}") if len(fitting) < len(self._keys) else Content("")
        here = [key.text() for key in fitting if not key.everywhere]
        everywhere = [key.text() for key in fitting if key.everywhere]
        return Content("").join([*here, more, *everywhere])

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        column = event.get_content_offset_capture(self).x
        for key in self._fitting():
            if 0 <= column < key.width:
                self.app.simulate_key(key.key)
                return
            column -= key.width

    def _fitting(self) -> list[ShownKey]:
        room = self.content_size.width
        if sum(key.width for key in self._keys) <= room:
            return self._keys
        room -= sum(key.width for key in self._keys if key.everywhere) + len(f"{MORE}{GAP}")
        fitting = []
        for key in self._keys:
            room -= 0 if key.everywhere else key.width
            if key.everywhere or room >= 0:
                fitting.append(key)
        return fitting
