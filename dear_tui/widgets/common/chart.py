"""A picture on the screen: strips are kept, and only the cells that changed are painted again."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dear_tui.charts.picture import Ink, Picture, text_of


def component_class(ink: Ink) -> str:
    """The component class whose colour an ink has."""
    return f"chart--{ink.name.lower().replace('_', '-')}"


class Chart(Widget):
    """What `draw` gives, at the widget's size."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {component_class(ink) for ink in Ink}
    DEFAULT_CSS = """
    Chart {
        height: 1fr;
        .chart--text { color: $foreground; }
        .chart--title { color: $foreground; text-style: bold; }
        .chart--axis { color: $text-muted; }
        .chart--band { color: $text-muted; }
        .chart--final { color: $class-critical; }
        .chart--metric { color: $class-metric; }
        .chart--masked { color: $class-masked; }
        .chart--non-critical { color: $class-non-critical; }
        .chart--critical { color: $class-critical; text-style: bold; }
        .chart--cursor { color: $foreground; text-style: bold; }
        .chart--overlay-0 { color: $class-overlay-0; text-style: bold; }
        .chart--overlay-1 { color: $class-overlay-1; }
        .chart--overlay-2 { color: $class-overlay-2; }
        .chart--overlay-3 { color: $class-overlay-3; }
        .chart--overlay-4 { color: $foreground; }
        .chart--screened { color: $foreground-muted; }
    }
    """
    ALLOW_SELECT = False

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = Picture(0, 0)
        self._strips: list[Strip] = []

    def draw(self, width: int, height: int) -> Picture:
        """What is to be seen."""
        raise NotImplementedError

    @property
    def picture(self) -> Picture:
        """What stands on the screen."""
        return self._picture

    def paint(self) -> None:
        """Draw the picture anew, and have only those cells of each row painted that changed."""
        width, height = self.size
        before, self._picture = self._picture, self.draw(width, height)
        if (before.width, before.height) != (width, height):
            self._strips = [self._strip(row) for row in range(height)]
            self.refresh()
            return
        changed = (before.characters != self._picture.characters) | (before.inks != self._picture.inks)
        for row in np.flatnonzero(changed.any(axis=1)).tolist():
            self._strips[row] = self._strip(row)
            columns = np.flatnonzero(changed[row])
            self.refresh(Region(int(columns[0]), row, int(columns[-1] - columns[0]) + 1, 1))

    on_resize = paint

    def _strip(self, row: int) -> Strip:
        """One row as segments, one for each run of the same ink; a blank goes with what stands before it."""
        characters = self._picture.characters[row]
        if not len(characters):  # in a terminal that leaves no column
            return Strip.blank(0)
        owner = np.maximum.accumulate(np.where(characters == ord(" "), 0, np.arange(len(characters))))
        inks = self._picture.inks[row][owner]
        edges = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(inks)]
        segments = [
            Segment(
                text_of(characters[start:stop]), self.get_component_rich_style(component_class(Ink(int(inks[start]))))
            )
            for start, stop in pairwise(edges)
        ]
        return Strip(segments, len(inks))

    def render_line(self, y: int) -> Strip:
        """One kept row."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Another theme: same picture, new colours."""
        super().notify_style_update()
        self.call_later(self._paint_anew)  # the colours of its parts come after this

    def _paint_anew(self) -> None:
        self._strips = [self._strip(row) for row in range(self._picture.height)]
        self.refresh()
