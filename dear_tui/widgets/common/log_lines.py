"""The last lines of the worker's log."""

from __future__ import annotations

import re

from textual.content import Content
from textual.widgets import Static

from dear_tui.widgets.common.status_text import MUTED

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)Z \d+ (.*)$")


class LogLines(Static):
    """As many lines as there is room for, the newest last."""

    DEFAULT_CSS = """
    LogLines { height: 6; padding: 0 1; border-top: solid $foreground 20%; border-title-color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "worker"
        self._lines: tuple[str, ...] = ()

    def show(self, lines: tuple[str, ...]) -> None:
        """Bring the lines up to date."""
        if lines != self._lines:
            self._lines = lines
            self._update()

    def _update(self) -> None:
        width, height = self.content_size
        if width > 0 and height > 0:
            rows = [_line(line).truncate(width, ellipsis=True) for line in self._lines[-height:]]
            self.update(Content("\n").join(rows), layout=False)

    on_resize = _update


def _line(line: str) -> Content:
    """Time of day (UTC) and text; the date and the process are in the file."""
    stamped = STAMP.match(line)
    return Content.assemble((f"{stamped[1]}  ", MUTED), stamped[2]) if stamped else Content(line)
