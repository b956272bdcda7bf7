"""One campaign while it runs, and after: where it stands, and its detection curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from dear_tui.human import short_count
from dear_tui.screens.base import NO_CAMPAIGN, READING, SnapshotScreen, unread
from dear_tui.widgets.detection_chart import DetectionChart
from dear_tui.widgets.status_text import (
    counts_text,
    name_text,
    progress_text,
    size_text,
    spread,
    state_text,
    workload_text,
)

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from dear_tui.source import Snapshot
    from engine.store import CampaignStatus

PAUSED = "No process runs this campaign now; dear-tui resume {} continues it where it stopped."


class LiveScreen(SnapshotScreen):
    """State, progress, counts and curve of the chosen campaign."""

    TAB = "live"
    DEFAULT_CSS = """
    LiveScreen {
        .header { height: 4; padding: 0 1; }
        .notice { height: auto; padding: 0 1; display: none; }
        DetectionChart { display: none; margin: 0 1; }
    }
    """

    def compose_body(self) -> ComposeResult:
        """Header, notice, and either a message or the chart."""
        yield Static(classes="header")
        yield Static(Content(""), classes="notice")
        yield Static(READING, classes="message")
        yield DetectionChart()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The chosen campaign, or why there is none."""
        status, chart = snapshot.status(self.dear.campaign), self.query_one(DetectionChart)
        header, notice, message = (self.query_one(name, Static) for name in (".header", ".notice", ".message"))
        curve = snapshot.curve if status and snapshot.curve_key[:1] == (status.id,) else None
        has_points = curve is not None and len(curve.critical) > 0
        header.display = status is not None
        self.show_body(chart, has_points)
        self.show_line(notice, _notice(status))
        if status:
            header.update(_header(status, self.size.width - 2), layout=False)
        if status and curve and has_points:
            chart.show_curve(curve, status.id)
        else:
            message.update(_message(self.dear.campaign, status, snapshot, curve is not None), layout=False)


def _header(status: CampaignStatus, width: int) -> Content:
    return Content("\n").join(
        [
            spread(name_text(status), state_text(status), width),
            spread(workload_text(status), size_text(status), width),
            progress_text(status, width),
            counts_text(status, shares=True),
        ]
    )


def _notice(status: CampaignStatus | None) -> Content:
    if status and status.error:
        return Content.styled(status.error, "$text-error")
    if status and status.state == "paused":
        return Content.styled(PAUSED.format(status.id), "$text-warning")
    return Content("")


def _message(campaign: int | None, status: CampaignStatus | None, snapshot: Snapshot, curve_read: bool) -> Content:
    """What stands in the place of a curve that has no point yet."""
    if snapshot.campaigns is None:
        return unread(snapshot)
    if status is None:
        missing = Content(f"Campaign {campaign} is not in this store; 1 lists what is.")
        return NO_CAMPAIGN if campaign is None else missing
    if not curve_read:
        return unread(snapshot)
    if status.state == "running":
        return Content(
            f"Injecting {status.faults:,} faults into the first block of images,\n"
            f"{short_count(status.pairs_done)} of {short_count(status.pairs)} pairs done.\n\n"
            "The curve starts when the block is complete."
        )
    if status.state == "queued":
        so_far = f"{short_count(status.pairs_done)} pairs are done" if status.pairs_done else "nothing has been run yet"
        return Content(f"Waiting for its turn; {so_far}.")
    return Content(f"{status.state.capitalize()} before the first block of images was complete: there is no curve.")
