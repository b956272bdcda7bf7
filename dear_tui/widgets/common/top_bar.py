"""The first line: the screens with their keys, and which store they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from dear_tui.widgets.common.status_text import MUTED, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events

HEAD = " dear-tui  "


@dataclass(frozen=True)
class Tab:
    """What the bar shows of a screen."""

    key: str
    name: str
    """of the app's mode, which a click switches to"""
    title: str

    @property
    def text(self) -> str:
        """Key and title with blanks around them."""
        return f" {self.key} {self.title} "


class TopBar(Static):
    """Program, screens (the current one marked), store."""

    DEFAULT_CSS = """
    TopBar { height: 1; background: $panel; }
    """

    def __init__(self, tabs: Sequence[Tab], current: Tab, store: str) -> None:
        super().__init__()
        self._tabs = tabs
        self._current = current
        self._store = store

    def placed_tabs(self) -> Iterator[tuple[Tab, int]]:
        """Every tab, with the column where it starts."""
        column = len(HEAD)
        for tab in self._tabs:
            yield tab, column
            column += len(tab.text)

    def on_click(self, event: events.Click) -> None:
        """Go to the screen whose tab was clicked."""
        column = event.get_content_offset_capture(self).x
        for tab, start in self.placed_tabs():
            if start <= column < start + len(tab.text):
                self.app.switch_mode(tab.name)

    def render(self) -> Content:
        """The line for the present width."""
        parts: list[Content | tuple[str, str]] = [(HEAD, "bold")]
        parts += [(tab.text, "reverse bold" if tab == self._current else MUTED) for tab in self._tabs]
        store = Content.styled(f"{self._store} ", MUTED)
        tabs = Content.assemble(*parts)
        room = self.size.width - tabs.cell_length - 2
        return spread(tabs, store if store.cell_length <= room else Content(""), self.size.width)
