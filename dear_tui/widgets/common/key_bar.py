"""The last line: the keys that matter here.

Textual's Footer is a widget for every key, all made anew whenever the focus moves: on a busy machine that alone is
longer than a key may take.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from textual.app import App
from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from textual import events
    from textual.binding import ActiveBinding, Binding
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
    """of a group, the last key has the name of all"""
    enabled: bool
    everywhere: bool
    """these stay where there is no room for all"""

    @property
    def width(self) -> int:
        return self.text().cell_length

    def text(self) -> Content:
        style = "" if self.enabled else "dim"
        name = f" {self.name}" if self.name else ""
        return Content.assemble((self.display, f"bold $footer-key-foreground {style}"), (name, style), GAP)


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
        """Show the keys of whatever has the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self.show_keys)

    def show_keys(self, screen: Screen[object]) -> None:
        """List them anew; painted only when they are others."""
        actions: dict[str, ActiveBinding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show:
                actions.setdefault(active.binding.action, active)
        keys: list[ShownKey] = []
        for group, actives in groupby(actions.values(), lambda active: active.binding.group):
            keys += self._shown(list(actives), group)
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _shown(self, actives: list[ActiveBinding], group: Binding.Group | None) -> list[ShownKey]:
        names = [binding.description for _, binding, _, _ in actives]
        if group and len(actives) > 1:
            names = [""] * (len(actives) - 1) + [group.description]
        return [
            ShownKey(binding.key, self.app.get_key_display(binding), name, enabled, isinstance(node, App))
            for name, (node, binding, enabled, _) in zip(names, actives, strict=True)
        ]

    def render(self) -> Content:
        """As many keys as fit on the line."""
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
