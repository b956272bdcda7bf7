"""The first line: the screens with their keys, and which store they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from dear_tui.widgets.common.status_text import MUTED, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events

TABS = {"campaigns": "1", "live": "2", "faults": "3", "SQL": "4", "GPU": "5", "images": "6"}
HEAD = " dear-tui  "


class TopBar(Static):
    """Program, screens (the current one marked), store."""

    DEFAULT_CSS = """
    TopBar { height: 1; background: $panel; }
    """

    def __init__(self, current: str, store: str) -> None:
        super().__init__()
        self._current = current
        self._store = store

    def tabs(self) -> Iterator[tuple[str, int, str]]:
        """Of every screen: its digit, the column where its tab starts, its mode."""
        column = len(HEAD)
        for name, digit in TABS.items():
            yield digit, column, name.lower()
            column += len(_tab(name, digit))

    def on_click(self, event: events.Click) -> None:
        """Go to the screen whose tab was clicked."""
        column = event.get_content_offset_capture(self).x
        for name, (digit, start, mode) in zip(TABS, self.tabs(), strict=True):
            if start <= column < start + len(_tab(name, digit)):
                self.app.switch_mode(mode)

    def render(self) -> Content:
        """The line for the present width."""
        parts: list[Content | tuple[str, str]] = [(HEAD, "bold")]
        for name, digit in TABS.items():
            parts.append((_tab(name, digit), "reverse bold" if name == self._current else MUTED))
        store = Content.styled(f"{self._store} ", MUTED)
        tabs = Content.assemble(*parts)
        room = self.size.width - tabs.cell_length - 2
        return spread(tabs, store if store.cell_length <= room else Content(""), self.size.width)


def _tab(name: str, digit: str) -> str:
    return f" {digit} {name} "
