"""The charts of a campaign and their keys: curve, scatter, random against ranked, marked campaigns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from textual import work
from textual.actions import parse
from textual.binding import Binding, BindingType
from textual.message import Message

from dear_tui.charts.draw import draw_plot, draw_sentence
from dear_tui.charts.export import write_export, written_or_why
from dear_tui.charts.overlay_plot import is_in_percent
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import PAN, ZOOM, ChartKind, ChartView
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.chart import Chart
from engine.figures.axis import WHOLE
from engine.paths import present_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from textual import events

    from dear_tui.charts.plot import Plot

    Floats = NDArray[np.float64]

WHEEL_ZOOM = 1.25
"""a turn of the wheel is many steps"""
FAR = 10
"""columns that the cursor jumps with shift"""
CLASS_KEYS = Binding.Group("hide ", compact=True)
"""One entry of the footer, which puts no room after it."""
NEEDS_PLOT = {"zoom", "pan", "whole", "step", "export", "toggle", "toggle_class"}
CURVES = {ChartKind.CURVE, ChartKind.COMPARISON}
NEEDS_KIND = {
    "asymptotes": CURVES,
    "density": {ChartKind.SCATTER},
    "shares": {ChartKind.OVERLAY},
    "percent": {ChartKind.OVERLAY},
}
"""What is switched in some views only."""


@dataclass
class Drag:
    """The mouse with a button held."""

    x: int
    """the column of the screen where that began"""
    window: tuple[float, float]
    """what was shown then"""
    has_moved: bool = False


class CampaignChart(Chart, can_focus=True):
    """One campaign's charts, one at a time, as its keys have them."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "campaign-chart",
        Binding("v", "next_view", "view", tooltip="curve, scatter, random or ranked, marked ones"),
        Binding(
            "m", "toggle_class('MASKED')", "masked", group=CLASS_KEYS, tooltip="show or hide; the rest is enlarged"
        ),
        Binding("n", "toggle_class('NON_CRITICAL')", "non-critical", group=CLASS_KEYS, tooltip="show or hide"),
        Binding("c", "toggle_class('CRITICAL')", "critical", group=CLASS_KEYS, tooltip="show or hide"),
        Binding("y", "toggle('log')", "log y", show=False, tooltip="the y axis logarithmic"),
        Binding("x", "toggle('log_x')", "log x", show=False, tooltip="the x axis logarithmic"),
        Binding("a", "toggle('asymptotes')", "final", show=False, tooltip="dotted: the critical count F, 0.9 F, 1.1 F"),
        Binding("d", "toggle('density')", "density", tooltip="shade by the number of images"),
        Binding("r", "toggle('shares')", "ranks/%", tooltip="x in images, or share of each campaign's images"),
        Binding("p", "toggle('percent')", "faults/%", tooltip="y in faults, or percent of each one's faults"),
        Binding("plus", "zoom(1)", "zoom", key_display="+", tooltip="enlarge around the cursor, or the left edge"),
        Binding("equals_sign", "zoom(1)", "zoom", show=False, key_display="="),
        Binding("minus", "zoom(-1)", "zoom out", show=False, key_display="-", tooltip="show more of the x axis"),
        Binding("h", "pan(-1)", "pan left", show=False, tooltip="a quarter of what is shown"),
        Binding("l", "pan(1)", "pan right", show=False, tooltip="a quarter of what is shown"),
        Binding("0", "whole", "all", show=False, tooltip="the whole x axis again"),
        Binding(
            "left",
            "step(-1)",
            "read left",
            key_display="←",
            show=False,
            tooltip="the cursor, one column to the left",
        ),
        Binding("right", "step(1)", "read", key_display="→", tooltip="the cursor: image, metric and counts under it"),
        Binding(
            "shift+left", f"step(-{FAR})", "read far left", show=False, key_display="⇧←", tooltip="ten columns left"
        ),
        Binding(
            "shift+right",
            f"step({FAR})",
            "read far right",
            show=False,
            key_display="⇧→",
            tooltip="ten columns right",
        ),
        Binding("escape", "no_cursor", "no cursor", show=False, tooltip="take the cursor away"),
        Binding("e", "export", "save", tooltip="as SVG, PNG and CSV, into this folder"),
        Binding("space", "toggle_frozen", "freeze", tooltip="hold the drawing still; the campaign goes on"),
    )

    HELP = (
        "Each fault counts at its worst severity so far.\n"
        "A click reads out what is under it; the wheel zooms there,\n"
        "and dragging moves along the x axis."
    )

    @dataclass
    class Exported(Message):
        """Files were written, or why not."""

        sentence: str
        failed: bool

    @dataclass
    class ViewChanged(Message):
        """A key changed what is drawn."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._view = ChartView()
        self._newest: ChartData | None = None
        self._drawn: ChartData | None = None
        self._plot: Plot | str = ""
        self._offered: tuple[object, ...] = ()
        self._drag: Drag | None = None
        self._has_dragged = False

    @property
    def view(self) -> ChartView:
        """What is shown; only keys change it."""
        return self._view

    @property
    def plot(self) -> Plot | None:
        """What is drawn; None where there is a sentence in its place."""
        return None if isinstance(self._plot, str) else self._plot

    @property
    def data(self) -> ChartData | None:
        """What the chart draws."""
        return self._drawn

    def show_data(self, data: ChartData) -> None:
        """Draw newer data; what was frozen or enlarged of another campaign is let go."""
        before = self._newest
        if before is not None and data.is_same(before):
            return
        self._newest = data
        if before is None or data.campaign != before.campaign:
            self._view = replace(self._view, frozen=False, window=WHOLE, cursor=None)
        marked_before = [one.id for one in before.marked] if before else []
        if [one.id for one in data.marked] != marked_before:
            self._follow_marks(bool(data.marked))
        if not self._view.frozen:
            self._catch_up()

    def draw(self, width: int, height: int) -> Picture:
        """The plot, or the sentence in its place."""
        if isinstance(self._plot, str):
            return draw_sentence(self._plot, width, height)
        return draw_plot(self._plot, self._view, width, height)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that do something now are offered."""
        if self._view.kind not in _kinds_of(action, parameters):
            return False
        if action in NEEDS_PLOT:
            return self.plot is not None
        return self._view.cursor is not None if action == "no_cursor" else True

    def why_not(self, action: str) -> str:
        """A key of another view was pressed."""
        kinds = _kinds_of(*parse(action)[1:])
        if self._view.kind in kinds:
            return ""
        return f"this key is for the view “{' or '.join(sorted(kind.value for kind in kinds))}”; v goes on to the next"

    def action_next_view(self) -> None:
        """Curve, scatter, comparison, and marked campaigns where there are some."""
        kinds = [kind for kind in ChartKind if kind is not ChartKind.OVERLAY or (self._newest and self._newest.marked)]
        kind = kinds[(kinds.index(self._view.kind) + 1) % len(kinds)]
        self._change_view(replace(self._view, kind=kind, window=WHOLE, cursor=None))

    async def action_toggle(self, attribute_name: str) -> None:
        """Switch an attribute of the view; on another x axis the window would be another part of it."""
        window = WHOLE if attribute_name in ("log_x", "shares") else self._view.window
        switched: dict[str, Any] = {attribute_name: not self._shown(attribute_name)}
        self._change_view(replace(self._view, window=window, **switched))

    def _shown(self, attribute_name: str) -> bool:
        """What is shown of an attribute, which may be chosen for the data."""
        if attribute_name == "percent" and self._drawn:
            return is_in_percent(self._drawn.marked, self._view)
        if attribute_name == "log_x" and self.plot:
            return self.plot.x.log
        return bool(getattr(self._view, attribute_name))

    def action_toggle_class(self, name: str) -> None:
        """Show or hide one class."""
        self._change_view(replace(self._view, hidden=self._view.hidden ^ {Ink[name]}))

    def action_toggle_frozen(self) -> None:
        """Hold the drawing still; let go, it catches up with what came meanwhile."""
        self._change_view(replace(self._view, frozen=not self._view.frozen))
        if not self._view.frozen:
            self._catch_up()

    def action_zoom(self, direction: int) -> None:
        """Enlarge around the cursor; without one the left edge stays, because that is where curves rise."""
        if plot := self.plot:
            index = plot.readings.find(self._view.cursor)
            anchor = 0.0 if index is None else float(plot.x.place(plot.readings.x[index]))
            anchor = anchor if 0 <= anchor <= 1 else 0.0
            self._change_view(self._view.zoomed(ZOOM**direction, anchor, plot.least_window))

    def action_pan(self, direction: int) -> None:
        """Move along the x axis."""
        self._change_view(self._view.panned(direction * PAN))

    def action_whole(self) -> None:
        """Show the whole x axis."""
        self._change_view(replace(self._view, window=WHOLE))

    def action_no_cursor(self) -> None:
        """Read nothing out any more."""
        self._change_view(replace(self._view, cursor=None))

    def action_step(self, columns: int) -> None:
        """Move the cursor to the next reading at least so many columns away; the picture follows it."""
        plot = self.plot
        if plot is None or len(plot.readings.x) == 0:
            return
        width = max(self.picture.area[3], 2)
        places = plot.x.place(plot.readings.x)
        column_of = np.floor(np.nan_to_num(places, nan=-1.0) * (width - 1) + 0.5)
        index = plot.readings.find(self._view.cursor)
        self._read_out(plot, _stepped(column_of, plot.readings.weight, index, columns, width))

    def action_export(self) -> None:
        """Write what is shown; a slow disk holds nothing up."""
        if (plot := self.plot) and self._drawn:
            self._write(plot, self._view, present_folder(), self._drawn.campaign)

    @work(thread=True, group="export")
    def _write(self, plot: Plot, view: ChartView, folder: Path, campaign: int) -> None:
        self.post_message(self.Exported(*written_or_why(lambda: write_export(plot, view, folder, campaign), folder)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Enlarge around the pointer."""
        self._zoom_at(event, WHEEL_ZOOM)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show more around the pointer."""
        self._zoom_at(event, 1 / WHEEL_ZOOM)

    def _zoom_at(self, event: events.MouseEvent, factor: float) -> None:
        _top, left, _rows, width = self.picture.area
        if plot := self.plot:
            event.stop()
            anchor = min(max((event.x - left + 0.5) / max(width, 1), 0.0), 1.0)
            self._change_view(self._view.zoomed(factor, anchor, plot.least_window))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag may begin; a click reads out, see there."""
        if self.plot and event.button == 1:
            self.capture_mouse()
            self._drag = Drag(event.screen_x, self._view.window)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """While a button is held, what was under the pointer stays under it."""
        width = self.picture.area[3]
        if self._drag is None or not width or (event.screen_x == self._drag.x and not self._drag.has_moved):
            return
        self._drag.has_moved = True
        moved = replace(self._view, window=self._drag.window).panned((self._drag.x - event.screen_x) / width)
        if moved.window != self._view.window:
            self._change_view(moved)

    def on_mouse_up(self, _event: events.MouseUp) -> None:
        """The drag is over."""
        self.release_mouse()
        self._has_dragged = self._drag is not None and self._drag.has_moved
        self._drag = None

    def on_mouse_release(self) -> None:
        """Also where another screen took the mouse away."""
        self._drag = None

    def on_click(self, event: events.Click) -> None:
        """Read out what is under the mouse, unless it was dragged there."""
        if self._has_dragged:
            return
        plot, (_top, left, _rows, width) = self.plot, self.picture.area
        if plot and len(plot.readings.x) and 0 <= event.x - left < width:
            places = np.nan_to_num(plot.x.place(plot.readings.x), nan=-1.0) * (width - 1)
            column_of = np.floor(places + 0.5)
            nearest = column_of[np.abs(column_of - (event.x - left)).argmin()]
            self._read_out(plot, _heaviest(column_of, plot.readings.weight, float(nearest)))

    def on_campaign_chart_exported(self, message: Exported) -> None:
        """Say where it is."""
        self.notify(message.sentence, severity="error" if message.failed else "information", markup=False)

    def _read_out(self, plot: Plot, index: int) -> None:
        """Put the cursor on a reading, and show it."""
        view = replace(self._view, cursor=int(plot.readings.keys[index]))
        self._change_view(view.showing(float(plot.x.place(plot.readings.x[index]))))

    def _follow_marks(self, are_some: bool) -> None:
        """Campaigns were marked to be compared: show that."""
        if are_some or self._view.kind is ChartKind.OVERLAY:
            kind = ChartKind.OVERLAY if are_some else ChartKind.CURVE
            self._view = replace(self._view, kind=kind, window=WHOLE, cursor=None, frozen=False)

    def _change_view(self, view: ChartView) -> None:
        self._view = view
        self._show()
        self.post_message(self.ViewChanged())

    def _catch_up(self) -> None:
        if self._drawn is not self._newest:
            self._drawn = self._newest
            self._show()

    def _show(self) -> None:
        self._plot = make_plot(self._drawn, self._view) if self._drawn else ""
        self.paint()
        offered = (self._view.kind, self._view.cursor is None, self.plot is None)
        if offered != self._offered:  # the footer is made anew
            self._offered = offered
            self.refresh_bindings()


def _kinds_of(action: str, parameters: tuple[object, ...]) -> set[ChartKind]:
    """Where an action does something."""
    return (
        {ChartKind.CURVE}
        if action == "toggle_class"
        else NEEDS_KIND.get(str(parameters[0]) if parameters else "", set(ChartKind))
    )


def _stepped(column_of: Floats, weight: Floats, index: int | None, columns: int, width: int) -> int:
    """The heaviest reading of the next column that has one; without a cursor, of the first or last that is shown."""
    if index is None:
        here, columns = (-1.0, 1) if columns > 0 else (float(width), -1)
    else:
        here = float(column_of[index])
    if columns > 0:
        place = min(int(np.searchsorted(column_of, here + columns)), len(column_of) - 1)
    else:
        place = max(int(np.searchsorted(column_of, here + columns, side="right")) - 1, 0)
    return _heaviest(column_of, weight, float(column_of[place]))


def _heaviest(column_of: Floats, weight: Floats, column: float) -> int:
    """Of the readings in one column."""
    begin, end = np.searchsorted(column_of, column), np.searchsorted(column_of, column, side="right")
    return int(begin + np.argmax(weight[begin:end]))
