"""The campaigns of the store: the queue and what was, the chosen one in full, and what can be asked of them."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.actions import parse
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from dear_tui.access.demo import DEMO
from dear_tui.access.fault_counter import FaultCounter
from dear_tui.access.store_location import version_of
from dear_tui.planner.reports import Order
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.empty import READING, missing
from dear_tui.screens.ordering import KEEPS, NONE_CHOSEN, ORDER_KEYS, CampaignOrders
from dear_tui.screens.reporting import write_report
from dear_tui.settings.keymap import with_ids
from dear_tui.text.messages import FoundRead, MapRead, QueueRead
from dear_tui.widgets.campaigns.campaign_columns import Row, chosen_text, in_order, matches
from dear_tui.widgets.campaigns.campaign_details import CampaignDetails
from dear_tui.widgets.campaigns.campaign_filter import CampaignFilter
from dear_tui.widgets.campaigns.campaign_list import CampaignList
from dear_tui.widgets.campaigns.worker_text import worker_text
from dear_tui.widgets.common.panes import Panes
from dear_tui.widgets.common.status_text import MUTED, spread
from dear_tui.widgets.faults.fault_map_picture import HeatGrid
from engine.units import short_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from dear_tui.access.store_location import Snapshot
    from dear_tui.access.store_reader import Details
    from dear_tui.planner.reports import Report
    from engine.store import CampaignStatus
    from engine.store.read.fault_results import FaultFindings

POLL_SECONDS = 0.5
COUNTING_SECONDS = 0.25
"""how long critical faults are counted before the queue is read again"""
SETTLE_SECONDS = 0.1
"""how long the cursor stays on a campaign until it rests there"""
WIDE = 110
"""columns from which the details stand beside the list"""
LEAST_WIDTH, LEAST_HEIGHT = (40, 44), (4, 6)
"""columns and lines of list and details that can be read"""
NO_DEMO = "there are campaigns already; dear-tui demo in a shell runs it beside them"
OFFERED = ("demo", "pause", "resume", "retry", "cancel", "delete", "mark", "report", "filter", "unfilter")


class CampaignsScreen(SnapshotScreen):
    """Every campaign with its state, progress and findings; what is asked of one shows at once."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = ORDER_KEYS + with_ids(
        "campaigns-screen",
        Binding("c", "mark", "mark", tooltip="mark it (◆), to compare it with others"),
        Binding("C", "mark_all", "mark all", show=False, tooltip="mark all that are shown, or none"),
        Binding("e", "report", "report", tooltip="write the report: of it, or of the marked ones"),
        Binding("R", "rename", "rename", show=False, tooltip="give it another name"),
        Binding("N", "note", "note", show=False, tooltip="your own words about it, shown in its details"),
        Binding("y", "copy", "copy id", show=False, tooltip="its number to the clipboard"),
        Binding("i", "details", "details", tooltip="show or hide the chosen campaign in full"),
        Binding("tab", "other_part", "other part", show=False, tooltip="from the list to the details and back"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="only campaigns that match what is typed"),
        Binding("escape", "unfilter", "all", show=False, tooltip="all campaigns again"),
    )
    DEFAULT_CSS = """
    CampaignsScreen {
        .list { width: 1fr; height: 1fr; }
        CampaignDetails { width: 40%; min-width: 52; height: 1fr; display: none; }
        &.-narrow .body { layout: vertical; }
        &.-narrow CampaignDetails { width: 1fr; height: 55%; }
        .chosen { height: 1; padding: 0 1; display: none; }
        .worker { height: 1; padding: 0 1; background: $surface; }
        ToastRack { margin-bottom: 2; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.orders = CampaignOrders(self)
        self._counter = FaultCounter(self.dear.desk)
        self._found: Mapping[int, FaultFindings] = {}
        """campaign -> what its faults did so far"""
        self._details: dict[tuple[object, ...], Details] = {}
        self._awaited: set[tuple[object, ...]] = set()
        """what is being read, or is about to be: each only once at a time, however slow the store"""
        self._demo = ""
        """what is done to queue the demo, while it is"""
        self._at: int | None = None
        """the campaign under the cursor"""
        self._rests_at: int | None = None
        """the same, once the cursor has stayed there"""
        self._settling: Timer | None = None
        self._mapped: CampaignStatus | None = None
        """the campaign whose map is wanted, as it is now"""
        self._map = MapRead((), None)
        self._map_version: tuple[object, ...] = ()
        """of the campaign that `_map` is of, or is being read of"""
        self._wants_details: bool | None = None
        """None: where there is room beside the list"""
        self._offered: tuple[bool | None, ...] = ()
        """which of the keys in the footer work"""
        self._wake = threading.Event()

    def compose_body(self) -> ComposeResult:
        """The filter, the list with what stands in its place, the details, and who runs the queue."""
        yield CampaignFilter()
        with Panes("campaigns", least_width=LEAST_WIDTH, least_height=LEAST_HEIGHT, classes="body"):
            with Container(classes="list"):
                yield Static(READING, classes="message")
                yield CampaignList()
            yield CampaignDetails()
        yield Static(Content(""), classes="chosen")
        yield Static(Content(""), classes="worker")

    # ---- showing

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The list and the chosen campaign, or a message in their place."""
        if snapshot.campaigns is not None:
            self.dear.marked &= {status.id for status in snapshot.campaigns}  # without what is deleted
        rows = self._rows(snapshot.campaigns or ())
        listing, message = self.query_one(CampaignList), self.query_one(".message", Static)
        listing.display, message.display = bool(rows), not rows
        if rows:
            listing.show_campaigns(rows, self.dear.campaign)
        else:
            message.update(self._message(snapshot), layout=False)
        if self.focused is None and rows:
            self.set_focus(listing)
        elif self.focused is not None and not self.focused.display:
            self.set_focus(None)
        self._show_details(snapshot.status(self.dear.campaign) if rows else None)
        self._show_worker(len(rows), len(snapshot.campaigns or ()))
        self._offer_keys()

    def _offer_keys(self) -> None:
        """Tell the footer, which paints itself anew, only where other keys work."""
        offered = tuple(self.check_action(action, ()) for action in OFFERED)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def _rows(self, campaigns: Sequence[CampaignStatus]) -> list[Row]:
        queue, marked = self.orders.queue, self.dear.marked
        waiting = queue.waiting if queue else ()
        places = {campaign: place for place, campaign in enumerate(waiting, start=1)}
        words, studies = self.query_one(CampaignFilter).words, self.dear.snapshot.studies
        return [
            Row(
                status,
                places.get(status.id),
                self.orders.asked(status.id),
                self._found.get(status.id),
                status.id in marked,
                self.dear.snapshot.step(status.id),
                studies.get(status.id, ""),
            )
            for status in in_order(campaigns, waiting)
            if matches(status, words, studies.get(status.id, ""))
        ]

    def _message(self, snapshot: Snapshot) -> Content:
        if snapshot.campaigns:
            return Content(f"Nothing matches “{self.query_one(CampaignFilter).words}”; esc shows all campaigns.")
        return Content(self._demo) if self._demo else missing(snapshot, None) or READING

    def _show_details(self, status: CampaignStatus | None) -> None:
        pane = self.query_one(CampaignDetails)
        wanted = self.size.width >= WIDE if self._wants_details is None else self._wants_details
        pane.display = status is not None and wanted
        has_results = False
        if status is not None and pane.display:
            self._settle(status.id)
            details, rests = self._details.get(_key(status)), status.id == self._rests_at
            if details is None and rests and _key(status) not in self._awaited:
                self._awaited.add(_key(status))
                self.read_details(status)
            pane.show(status, details, self._found.get(status.id), self.orders.asked(status.id))
            has_results = rests and details is not None and status.count() > 0
        self._show_pictures(status if has_results else None)
        self._show_chosen(None if pane.display else status)

    def _settle(self, campaign: int) -> None:
        """Once the cursor rests on a campaign, what takes a while is read and drawn, and not on the way there."""
        if campaign != self._at:
            self._at, self._rests_at = campaign, None
            if self._settling is not None:
                self._settling.stop()
            self._settling = self.set_timer(SETTLE_SECONDS, self._rest)

    def _rest(self) -> None:
        self._rests_at = self._at
        self.dear.read_now()
        self.refresh_snapshot()

    def _show_pictures(self, status: CampaignStatus | None) -> None:
        """The curve and the map of the campaign in the details, as far as they are read; None: of none."""
        pane, snapshot = self.query_one(CampaignDetails), self.dear.snapshot
        self._mapped = status if pane.has_room_for_map else None
        if self._mapped is not None and not _is_of(self._map_version, status):
            self._wake.set()
        pane.show_pictures(
            status,
            snapshot.curve if _is_of(snapshot.curve_key, status) else None,
            self._map.grid if _is_of(self._map.version, status) else None,
        )

    def _show_chosen(self, status: CampaignStatus | None) -> None:
        """The campaign under the cursor in a line, where there is no room for its details."""
        line, width = self.query_one(".chosen", Static), max(self.size.width - 2, 1)
        text = Content("") if status is None else chosen_text(status, self.dear.snapshot.step(status.id), width)
        self.show_line(line, text)

    def _show_worker(self, shown: int, campaigns: int) -> None:
        marked = f"◆ {len(self.dear.marked)} marked   " if self.dear.marked else ""
        counts = f"{shown:,} of {campaigns:,}" if shown < campaigns else short_count(campaigns)
        right = Content.styled(f"{marked}{counts} campaign{'s' * (campaigns != 1)}" if campaigns else "", MUTED)
        left = worker_text(self.orders.queue, self.orders.is_starting) if self.orders.queue else Content("")
        line = self.query_one(".worker", Static)
        text = spread(left, right, max(self.size.width - 2, 1))
        if text != line.content:
            line.update(text, layout=False)

    def on_row_list_moved(self, event: CampaignList.Moved) -> None:
        """The campaign under the cursor is the one that the other screens speak of."""
        self.dear.campaign = event.rows.key
        self.refresh_snapshot()

    def on_campaign_list_opened(self) -> None:
        """Go to the live screen of the campaign."""
        self.app.switch_mode("live")

    # ---- reading

    def on_screen_resume(self, _event: events.ScreenResume) -> None:
        """Read the queue while this screen is in front."""
        self.read_queue()

    def on_screen_suspend(self) -> None:
        """Let the reading end."""
        self.workers.cancel_group(self, "read_queue")
        self._wake.set()

    on_unmount = on_screen_suspend

    @work(thread=True, exclusive=True, group="read_queue")
    def read_queue(self) -> None:
        """Read the queue and the map; count critical faults where more pairs are critical than at the last count."""
        worker, desk = get_current_worker(), self.dear.desk
        while not worker.is_cancelled:
            with suppress(Exception):  # the reading of the campaigns meets it too, and it is said above the list
                self.post_message(QueueRead(desk.queue()))
            self._read_map()
            is_done = self._counter.count(self.dear.snapshot.campaigns or (), time.monotonic() + COUNTING_SECONDS)
            if self._counter.found != self._found:
                self.post_message(FoundRead(self._counter.found))
            if is_done:
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()

    def _read_map(self) -> None:
        """Read the map that is wanted now, unless it was the last one that was read."""
        status = self._mapped
        if status is not None and self._map_version != version_of(status):
            self._map_version = version_of(status)
            rates = self.dear.desk.rates(status.id)
            self.post_message(MapRead(self._map_version, HeatGrid.of(rates) if rates else None))

    @work(thread=True, exclusive=True, group="read_details")
    def read_details(self, status: CampaignStatus) -> None:
        """Read the details of the chosen campaign."""
        self.call_later(self._take_details, _key(status), self.dear.desk.details(status))

    def on_queue_read(self, message: QueueRead) -> None:
        """Show the queue as it was read."""
        self.orders.queue = message.queue
        self.refresh_snapshot()

    def on_map_read(self, message: MapRead) -> None:
        """Show the map that was read."""
        self._map = message
        self.refresh_snapshot()

    def on_found_read(self, message: FoundRead) -> None:
        """Show the critical faults that were counted."""
        self._found = message.found
        self.refresh_snapshot()

    def _take_details(self, key: tuple[object, ...], details: Details) -> None:
        """Keep the details of a campaign, and show them."""
        self._details[key] = details
        self._awaited.discard(key)
        self.refresh_snapshot()

    # ---- keys

    def refusal(self, action: str, parameters: tuple[object, ...]) -> str:
        """Why an action of this screen does nothing now; empty where it does something."""
        match action:
            case "report":
                return self._no_report()
            case "mark" | "mark_all" | "rename" | "note" | "copy" | "details":
                return "" if self.chosen() else NONE_CHOSEN
            case "other_part":
                return "" if self.query_one(CampaignDetails).display else "the details are not shown; i shows them"
            case "filter":
                return "" if self.dear.snapshot.campaigns else NONE_CHOSEN
            case "demo":
                return "" if self.dear.snapshot.campaigns == () else NO_DEMO
        return self.orders.refusal(action, parameters)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something is offered; about escape nobody needs a sentence."""
        if action == "unfilter":
            return bool(self.query_one(CampaignFilter).words)
        return not self.refusal(action, parameters)

    def why_not(self, action: str) -> str:
        """What to say where a key was pressed that does nothing; empty where the same key does something else."""
        _, name, parameters = parse(action)
        if name == "pause" and not self.refusal("resume", ()):
            return ""
        if name == "demo" or (name == "delete" and not self.refusal("demo", ())):
            return ""
        return self.refusal(name, parameters)

    def chosen(self) -> CampaignStatus | None:
        """The one under the cursor, of whose last move the app may not have heard: keys can come all at once."""
        listing = self.query_one(CampaignList)
        return self.dear.snapshot.status(listing.key) if listing.display else None

    def action_pause(self) -> None:
        """Ask the chosen campaign to pause."""
        self.orders.ask("pause")

    def action_resume(self) -> None:
        """Ask the chosen campaign to go on."""
        self.orders.ask("resume")

    def action_retry(self) -> None:
        """Queue the chosen campaign again."""
        if self.dear.marked:
            self.orders.confirm_and_ask(
                "retry", "Queue {} again?", "What was computed is kept, and they go on from there."
            )
        else:
            self.orders.ask("retry")

    def action_cancel(self) -> None:
        """Cancel the chosen campaign, after asking."""
        self.orders.confirm_and_ask("cancel", "Cancel {}?", KEEPS)

    def action_delete(self) -> None:
        """Delete the chosen campaign, after asking."""
        self.orders.confirm_and_ask("delete", "Delete {} with its results?", "This cannot be undone.")

    def action_demo(self) -> None:
        """Queue the demo, and have it run; a second key while that is being done does nothing."""
        if not self._demo:
            self._demo = "The demo is being queued: loading ..."
            self.refresh_snapshot()
            self.queue_demo()

    @work(thread=True, group="demo")
    def queue_demo(self) -> None:
        """Queue it in a process of its own, as the form does, so that the screens stay quick."""
        planner = self.dear.plan_with(Order(DEMO, str(Path.cwd()), store=str(self.dear.store)))
        for report in planner.reports():
            self.call_later(self._hear_of_demo, report)

    def _hear_of_demo(self, report: Report) -> None:
        """Say what is being done; at the end the campaign is in the list, or an error is told."""
        match report.kind:
            case "step":
                self._demo = f"The demo is being queued: {report.value}"
                self.refresh_snapshot()
            case "submitted":
                self._demo, self.dear.campaign = "", report.value["campaign"]
                self.dear.read_now()
            case "error":
                self._demo = ""
                self.notify(report.value, severity="error", timeout=10, markup=False)
                self.refresh_snapshot()

    def action_move(self, by: int) -> None:
        """Another place in the queue."""
        self.orders.move(by)

    def action_start_worker(self) -> None:
        """See to it that the queue is run."""
        self.orders.start_worker()

    def action_stop_worker(self) -> None:
        """Stop what runs the queue."""
        self.orders.stop_worker()

    def action_mark(self) -> None:
        """Mark for comparison, or no longer."""
        if status := self.chosen():
            self.dear.marked ^= {status.id}
            self.refresh_snapshot()

    def action_mark_all(self) -> None:
        """Mark all campaigns that are shown, or none where they are marked already."""
        shown = self.query_one(CampaignList).ids
        self.dear.marked = self.dear.marked - shown if shown <= self.dear.marked else self.dear.marked | shown
        self.refresh_snapshot()

    def marked(self) -> list[CampaignStatus]:
        """The marked campaigns, oldest first."""
        return [each for each in reversed(self.dear.snapshot.campaigns or ()) if each.id in self.dear.marked]

    def action_rename(self) -> None:
        """Ask for another name."""
        if status := self.chosen():

            def answered(name: str | None) -> None:
                if name is not None and name != status.name:
                    self.orders.rename(status.id, name)

            explanation = "Its config keeps the name that it was submitted with."
            self.app.push_screen(Prompt(f"Name of campaign {status.id}", status.name, explanation), answered)

    def action_note(self) -> None:
        """Ask for the user's own words, beginning with those that are known."""
        if status := self.chosen():

            def answered(text: str | None) -> None:
                if text is not None:
                    self.orders.note(status.id, text, is_seen=self.query_one(CampaignDetails).display)

            explanation = "Shown in its details; `notes` of the view campaigns. Empty: none."
            self.app.push_screen(Prompt(f"Note on campaign {status.id}", status.notes or "", explanation), answered)

    def action_copy(self) -> None:
        """The campaign's number, for a command line."""
        if status := self.chosen():
            self.app.copy_to_clipboard(str(status.id))
            self.notify(f"copied {status.id}, the number of {status.name}", markup=False, timeout=3)

    def _no_report(self) -> str:
        """Why there is none to write; empty where there is."""
        if not self.chosen():
            return NONE_CHOSEN
        waiting = [each.id for each in self._reported() if not each.pairs_done]
        return f"campaign {waiting[0]} has found nothing yet" if waiting else ""

    def _reported(self) -> list[CampaignStatus]:
        """The marked campaigns, oldest first, or the chosen one."""
        chosen = self.chosen()
        return self.marked() or ([chosen] if chosen else [])

    def action_report(self) -> None:
        """Write it, while everything else goes on."""
        numbers = [str(each.id) for each in self._reported()]
        stem = f"report-campaign-{numbers[0]}" if len(numbers) == 1 else f"report-campaigns-{'-'.join(numbers[:4])}"
        write_report(self, numbers, stem)

    def action_details(self) -> None:
        """Show or hide them."""
        self._wants_details = not self.query_one(CampaignDetails).display
        self.refresh_snapshot()

    def action_other_part(self) -> None:
        """Move the focus from the list to the details, and back."""
        pane, listing = self.query_one(CampaignDetails), self.query_one(CampaignList)
        self.set_focus(pane if pane.display and self.focused is listing else listing)

    def action_filter(self) -> None:
        """Type what to look for."""
        self.query_one(CampaignFilter).open()

    def action_unfilter(self) -> None:
        """Show all campaigns."""
        self.query_one(CampaignFilter).clear()

    def on_campaign_filter_changed(self) -> None:
        """Show the campaigns that match what was typed."""
        self.refresh_snapshot()

    def on_campaign_filter_left(self) -> None:
        """Back to the list."""
        listing = self.query_one(CampaignList)
        self.set_focus(listing if listing.display else None)


def _is_of(version: tuple[object, ...], status: CampaignStatus | None) -> bool:
    """Whether a version, see `version_of`, is one of this campaign."""
    return status is not None and version[:2] == version_of(status)[:2]


def _key(status: CampaignStatus) -> tuple[object, ...]:
    """What the details of a campaign depend on."""
    return status.id, status.created, status.is_prepared, status.state == "finished"
