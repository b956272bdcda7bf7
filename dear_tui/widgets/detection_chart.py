"""The detection curve on the screen: strips are kept, and only the cells that changed are painted again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dear_tui.widgets.detection_picture import Ink, Picture, View, draw_curve

if TYPE_CHECKING:
    from textual import events

    from engine.store import CurveData


def component_class(ink: Ink) -> str:
    """The component class whose colour an ink has."""
    return f"chart--{ink.name.lower().replace('_', '-')}"


class DetectionChart(Widget, can_focus=True):
    """Masked, non-critical and critical faults over the ranked images, the metric, and the final count +-10 %."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "toggle_log", "log", tooltip="faults on a log axis"),
        Binding("a", "toggle_asymptotes", "F ±10 %", tooltip="dotted: the critical count F, 0.9 F, 1.1 F"),
        Binding("m", "toggle_class('MASKED')", "masked", tooltip="show or hide; the others get its room"),
        Binding("n", "toggle_class('NON_CRITICAL')", "non-critical", tooltip="show or hide"),
        Binding("c", "toggle_class('CRITICAL')", "critical", tooltip="show or hide"),
        Binding("space", "toggle_frozen", "freeze", tooltip="hold the drawing still; the campaign goes on"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {component_class(ink) for ink in Ink}
    DEFAULT_CSS = """
    DetectionChart {
        height: 1fr;
        .chart--text { color: $foreground; }
        .chart--axis { color: $text-muted; }
        .chart--band { color: $text-muted; }
        .chart--final { color: $success; }
        .chart--metric { color: $warning; }
        .chart--masked { color: $primary; }
        .chart--non-critical { color: $error; }
        .chart--critical { color: $success; text-style: bold; }
    }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self._campaign: int | None = None
        self._newest: CurveData | None = None
        self._drawn: CurveData | None = None
        self._picture = Picture(0, 0)
        self._strips: list[Strip] = []

    @property
    def view(self) -> View:
        """What is shown of the curve; only keys change it."""
        return self._view

    @property
    def picture(self) -> Picture:
        """What stands on the screen."""
        return self._picture

    def show_curve(self, curve: CurveData, campaign: int) -> None:
        """Draw a newer curve; what was frozen of another campaign is let go."""
        self._newest = curve
        if campaign != self._campaign:
            self._campaign = campaign
            self._view = replace(self._view, frozen=False)
        if not self._view.frozen:
            self._catch_up()

    def action_toggle_log(self) -> None:
        """Switch the y axis between linear and log."""
        self._change_view(replace(self._view, log=not self._view.log))

    def action_toggle_asymptotes(self) -> None:
        """Show or hide the dotted lines."""
        self._change_view(replace(self._view, asymptotes=not self._view.asymptotes))

    def action_toggle_class(self, name: str) -> None:
        """Show or hide one class."""
        self._change_view(replace(self._view, hidden=self._view.hidden ^ {Ink[name]}))

    def action_toggle_frozen(self) -> None:
        """Hold the drawing still; let go, it catches up with what came meanwhile."""
        self._change_view(replace(self._view, frozen=not self._view.frozen))
        if not self._view.frozen:
            self._catch_up()

    def _change_view(self, view: View) -> None:
        self._view = view
        self._paint()

    def _catch_up(self) -> None:
        if self._drawn is not self._newest:
            self._drawn = self._newest
            self._paint()

    def _paint(self) -> None:
        """Draw the picture anew, and have only those cells of each row painted that changed."""
        width, height = self.size
        before = self._picture
        if self._drawn is None:
            self._picture = Picture(width, height)
        else:
            self._picture = draw_curve(self._drawn, self._view, width, height)
        if (before.width, before.height) != (width, height):
            self._strips = [self._strip(row) for row in range(height)]
            self.refresh()
            return
        changed = (before.characters != self._picture.characters) | (before.inks != self._picture.inks)
        for row in np.flatnonzero(changed.any(axis=1)).tolist():
            self._strips[row] = self._strip(row)
            columns = np.flatnonzero(changed[row])
            self.refresh(Region(int(columns[0]), row, int(columns[-1] - columns[0]) + 1, 1))

    def _strip(self, row: int) -> Strip:
        """One row as segments, one for each run of the same ink; a blank goes with what stands before it."""
        characters = self._picture.characters[row]
        text = "".join(map(chr, characters))
        owner = np.maximum.accumulate(np.where(characters == ord(" "), 0, np.arange(len(characters))))
        inks = self._picture.inks[row][owner]
        edges = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(inks)]
        segments = [
            Segment(text[start:stop], self.get_component_rich_style(component_class(Ink(int(inks[start])))))
            for start, stop in pairwise(edges)
        ]
        return Strip(segments, len(inks))

    def render_line(self, y: int) -> Strip:
        """One kept row."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new size."""
        self._paint()

    def notify_style_update(self) -> None:
        """Another theme: same picture, new colours."""
        super().notify_style_update()
        self._strips = [self._strip(row) for row in range(self._picture.height)]
        self.refresh()
