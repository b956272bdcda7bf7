"""The results that are kept, one a tab, in one line; nothing while there is only one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import set_cell_size
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from dear_tui.widgets.common.status_text import MUTED
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

LONGEST = 40
"""cells of a tab"""
RUNS = "…"


@dataclass(frozen=True)
class ResultTab:
    """What the line shows of a result."""

    sql: str
    is_running: bool


class ResultTabs(Static):
    """The beginning of each query, the one that is shown marked."""

    DEFAULT_CSS = """
    ResultTabs { height: 1; display: none; background: $panel; }
    """

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        index: int

    def __init__(self) -> None:
        super().__init__()
        self._tabs: Sequence[ResultTab] = ()
        self._shown = 0

    def show(self, tabs: Sequence[ResultTab], shown: int) -> None:
        """These results, one of them on the screen."""
        if (tabs, shown) != (self._tabs, self._shown):
            self._tabs, self._shown = tabs, shown
            self.display = len(tabs) > 1
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Show the result whose tab was clicked."""
        index = event.get_content_offset_capture(self).x // self._width
        if 0 <= index < len(self._tabs):
            self.post_message(self.Chosen(index))

    def render(self) -> Content:
        """All of them, as wide as there is room."""
        texts = [set_cell_size(_text(number, tab), self._width) for number, tab in enumerate(self._tabs, 1)]
        return Content.assemble(
            *((text, "reverse bold" if index == self._shown else MUTED) for index, text in enumerate(texts))
        )

    @property
    def _width(self) -> int:
        """Cells of a tab."""
        return max(min(self.size.width // max(len(self._tabs), 1), LONGEST), 1)


def _text(number: int, tab: ResultTab) -> str:
    return f" {number} {RUNS if tab.is_running else ''}{printable_line(tab.sql[: 2 * LONGEST])} "
