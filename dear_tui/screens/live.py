"""One campaign while it runs, and after: where it stands, its charts, its layers, and what the worker says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static
from textual.worker import get_current_worker

from dear_tui.access.description import findings_text, workload_words
from dear_tui.access.live_details import LiveDetails, LiveReader, Wanted
from dear_tui.charts.plots import ChartData
from dear_tui.charts.view import ChartKind
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.empty import READING, missing, no_curve, unread
from dear_tui.settings.keymap import with_ids
from dear_tui.text.messages import LiveDetailsRead
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from dear_tui.widgets.campaigns.layer_bars import LayerBars
from dear_tui.widgets.campaigns.small_chart import SmallChart
from dear_tui.widgets.common.log_lines import LogLines
from dear_tui.widgets.common.panes import Panes
from dear_tui.widgets.common.status_text import (
    MUTED,
    asked_text,
    audit_text,
    counts_line,
    name_text,
    progress_text,
    size_text,
    spread,
    state_text,
    workload_text,
)
from dear_tui.widgets.machine.machine_watch import GpuPanel

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from dear_tui.access.store_location import Snapshot
    from engine.store import Action, CampaignStatus
    from engine.store.read.fault_results import FaultFindings

PAUSED = Content.from_markup("No process runs this campaign now; [b]1[/b] lists it, [b]p[/b] there goes on.")
DETAILS_SECONDS = 1.0
"""between two looks at the layers, the images and the log"""
WORKER_LOG = "worker.log"
LEAST_SIDE_WIDTH = 110
"""columns of a terminal that hold the chart and what stands beside it"""
LEAST_WIDTH = 48, 34
"""columns of the chart and of what stands beside it that can be read"""
LEAST_LOG_HEIGHT, LEAST_SIDE_HEIGHT = (10, 3), (3, 8)
"""lines of chart and log, of layers and second chart"""


class LiveScreen(SnapshotScreen):
    """State, progress, counts and charts of the chosen campaign."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "live-screen",
        Binding("i", "toggle_side", "side", tooltip="layers, second chart and log: show or hide"),
        Binding("s", "open_sql", "SQL", tooltip="the query behind what is shown"),
    )
    DEFAULT_CSS = """
    LiveScreen {
        .header { height: 4; padding: 0 1; }
        .notice { height: auto; padding: 0 1; display: none; }
        .body { height: 1fr; display: none; }
        .main, .side { layout: vertical; }
        .main { width: 1fr; }
        CampaignChart { margin: 0 1; }
        .side { width: 38; padding-right: 1; display: none; }
        LayerBars { height: auto; max-height: 50%; margin-bottom: 1; }
        SmallChart { min-height: 8; }
        LogLines { display: none; }
        ToastRack { margin-bottom: 4; }
        &.with-log ToastRack { margin-bottom: 1; }
        &.with-side .side { display: block; }
        &.with-log LogLines { display: block; }
        &.wide { .side { width: 64; } LogLines { height: 10; } }
        &.with-side.narrow { .side { width: 1fr; padding: 0 1; } .main { display: none; } }
    }
    """

    side: var[bool | None] = var(None)
    """whether the side column is shown; None = where there is room"""

    def __init__(self) -> None:
        super().__init__()
        self._details = LiveDetails()
        self._wanted = Wanted()
        self._wake = threading.Event()

    def on_mount(self) -> None:
        """Know where to read."""
        self._reader = LiveReader(self.dear.open_source, self.dear.store / WORKER_LOG)

    def compose_body(self) -> ComposeResult:
        """Header, notice, and either a message or chart, side column and log."""
        yield Static(classes="header")
        yield Static(Content(""), classes="notice")
        yield Static(READING, classes="message")
        with Panes("live", least_width=LEAST_WIDTH, is_border_of_first=True, classes="body"):
            with Panes("live-log", least_height=LEAST_LOG_HEIGHT, classes="main"):
                with Vertical():
                    yield CampaignChart()
                    yield GpuPanel()
                yield LogLines()
            with Panes("live-layers", least_height=LEAST_SIDE_HEIGHT, classes="side"):
                yield LayerBars()
                yield SmallChart()

    def on_screen_resume(self, _event: events.ScreenResume) -> None:
        """Read details while in front, and the curve, which may be of another campaign now."""
        self.dear.read_now()
        self.read_details()

    def on_screen_suspend(self) -> None:
        """Let the reading thread end."""
        self.workers.cancel_group(self, "live_details")
        self._wake.set()

    on_unmount = on_screen_suspend

    @work(thread=True, exclusive=True, group="live_details")
    def read_details(self) -> None:
        """Read until another screen is in front; tell only what is new."""
        worker, told = get_current_worker(), None
        while not worker.is_cancelled:
            self._wake.clear()
            details = self._reader.read(self._wanted)
            if details != told and not worker.is_cancelled:
                self.post_message(LiveDetailsRead(details))
                told = details
            self._wake.wait(DETAILS_SECONDS)
        self._reader.close()

    def on_live_details_read(self, message: LiveDetailsRead) -> None:
        """Show what was read."""
        self._details = message.details
        self.refresh_snapshot()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The chosen campaign, or why there is none."""
        status, chart = snapshot.status(self.dear.campaign), self.query_one(CampaignChart)
        header, notice, message = (self.query_one(name, Static) for name in (".header", ".notice", ".message"))
        curve = snapshot.curve if status and snapshot.curve_key[:1] == (status.id,) else None
        has_points = curve is not None and len(curve.critical) > 0
        header.display = status is not None
        self._want(status, snapshot)
        marked = self._details.marked if len(self.dear.marked) > 1 else ()
        has_chart = has_points or (curve is not None and bool(marked))
        self._show_chart(has_chart)
        step = snapshot.step(status.id) if status and has_points else ""
        problem = "" if snapshot.problem else self._details.problem
        self.show_line(notice, _notice(status, step, problem, curve.beyond if curve else 0))
        if status:
            findings = self._details.findings if self._details.campaign == status.id else None
            header.update(_header(status, snapshot.asked.get(status.id), findings, self.size.width - 2), layout=False)
        if status and curve and has_chart:
            self._lay_out()
            details = self._details
            known = details if details.campaign == status.id else LiveDetails()
            orders = known.orders if known.orders_key[:1] == (status.id,) else None
            chart.show_data(ChartData(status.id, curve, known.counts, orders, marked, status.is_ranked))
            self.query_one(LayerBars).show(known.layers, known.rates)
            self.query_one(LogLines).show(details.log)
            self.query_one(SmallChart).show_data(chart.data, chart.view.beside())
        else:
            message.update(self._message(status, snapshot, curve is not None), layout=False)

    def _message(self, status: CampaignStatus | None, snapshot: Snapshot, curve_read: bool) -> Content:
        """What stands in the place of a curve that has no point yet."""
        if status is None:
            return missing(snapshot, self.dear.campaign) or READING
        return no_curve(status, snapshot.step(status.id)) if curve_read else unread(snapshot)

    def on_campaign_chart_view_changed(self) -> None:
        """The second chart shows what the first one does not."""
        chart = self.query_one(CampaignChart)
        self.query_one(SmallChart).show_data(chart.data, chart.view.beside())
        self._want(self.dear.snapshot.status(self.dear.campaign), self.dear.snapshot)

    def action_toggle_side(self) -> None:
        """Show or hide layers, second chart and log."""
        self.side = not self._has_side()
        self._lay_out()
        self.refresh_snapshot()
        hides_chart = self.side and self.has_class("narrow")
        self.call_after_refresh(self.set_focus, self.query_one(LayerBars if hides_chart else CampaignChart))

    def action_open_sql(self) -> None:
        """Open the query behind the chart."""
        if plot := self.query_one(CampaignChart).plot:
            self.dear.open_sql(plot.sql)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a chart there is nothing to lay out or to ask."""
        if action == "toggle_side":
            return self.query_one(".body").display
        if action == "open_sql":
            return self.query_one(".body").display and self.query_one(CampaignChart).plot is not None
        return super().check_action(action, parameters)

    def _has_side(self) -> bool:
        return self.size.width >= LEAST_SIDE_WIDTH if self.side is None else self.side

    def _lay_out(self) -> None:
        """Classes for the room there is."""
        has_side, width, height = self._has_side(), self.size.width, self.size.height
        self.set_class(has_side, "with-side")
        self.set_class(width < LEAST_SIDE_WIDTH, "narrow")
        self.set_class(width >= 180, "wide")
        self.set_class(self.side is not False and height >= 34 and bool(self._details.log), "with-log")

    on_resize = _lay_out

    def _want(self, status: CampaignStatus | None, snapshot: Snapshot) -> None:
        """Have the details read of what is shown now."""
        marked = tuple(one for one in snapshot.campaigns or () if one.id in self.dear.marked)
        has_orders = self.query_one(CampaignChart).view.kind is ChartKind.COMPARISON
        wanted = Wanted(status, marked if len(marked) > 1 else (), has_orders)
        if wanted != self._wanted:
            is_other = (wanted.ids, wanted.orders) != (self._wanted.ids, self._wanted.orders)
            self._wanted = wanted
            if is_other:
                self._wake.set()

    def _show_chart(self, shown: bool) -> None:
        """Chart or message; the keys are the chart's unless the user went to the layers."""
        body, chart = self.query_one(".body"), self.query_one(CampaignChart)
        body.display = shown
        self.query_one(".message").display = not shown
        if not shown:
            self.set_focus(None)
        elif self.focused is None:
            self.set_focus(chart)


def _header(status: CampaignStatus, asked: Action | None, findings: FaultFindings | None, width: int) -> Content:
    state = asked_text(asked) if asked else state_text(status)
    workload, counts = workload_text(status) + audit_text(status), counts_line(status, width)
    if findings and findings.images < findings.data_set:
        workload += Content.styled(f" · {workload_words(status, findings)}", MUTED)
    if findings:
        cost = Content.styled(findings_text(findings), "$text-class-critical")
        counts = spread(counts, cost, width) if counts.cell_length + cost.cell_length < width else counts
    return Content("\n").join(
        [
            spread(name_text(status), state, width),
            spread(workload, size_text(status), width),
            progress_text(status, width),
            counts,
        ]
    )


def _notice(status: CampaignStatus | None, step: str, problem: str, beyond: int) -> Content:
    if status and status.error:
        return Content.styled(status.error, "$text-error")
    if status and status.state == "paused":
        return PAUSED.stylize("$text-warning")
    if problem:
        return Content.styled(problem, "$text-error")
    if step or not beyond:
        return Content(step)
    return Content(f"{beyond:,} image{'s' if beyond > 1 else ''} beyond the curve done, too: blocks out of order.")
