"""The terminal program: two screens over one store, which a thread reads at most four times a second."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.worker import get_current_worker

from dear_tui.actions import actions_of
from dear_tui.human import percent
from dear_tui.messages import SnapshotRead
from dear_tui.screens.campaigns import CampaignsScreen
from dear_tui.screens.keys import KeysScreen
from dear_tui.screens.live import LiveScreen
from dear_tui.screens.sql import SqlScreen
from dear_tui.source import Snapshot, SnapshotReader, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from textual.screen import Screen

    from dear_tui.source import CampaignSource

POLL_SECONDS = 0.25
ANSI_THEME = "ansi-dark"
"""For terminals of 16 colours: theirs, where other themes would have two classes fall on one."""


class DearApp(App[str]):
    """Shows campaigns; starts none. `run()` returns a sentence to print when a campaign goes on without it."""

    TITLE = "dear-tui"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "campaigns": CampaignsScreen,
        "live": LiveScreen,
        "sql": SqlScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "switch_mode('campaigns')", "campaigns", show=False, tooltip="the list"),
        Binding("2", "switch_mode('live')", "live", show=False, tooltip="the chosen campaign and its detection curve"),
        Binding("4", "switch_mode('sql')", "SQL", show=False, tooltip="questions to the store"),
        Binding("question_mark", "show_keys", "keys", key_display="?", tooltip="what works here"),
        Binding("q", "quit", "quit", tooltip="a running campaign goes on"),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True, tooltip="a running campaign goes on"),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, tooltip="fg comes back"),
    ]

    campaign: var[int | None] = var(None)
    """The campaign that the live screen watches."""
    marked: var[frozenset[int]] = var(frozenset())
    """Campaigns marked for comparison."""
    snapshot: var[Snapshot] = var(Snapshot())
    """What was read last."""
    sql_text: var[str] = var("")
    """A query that a screen asks; the SQL screen takes it."""

    def __init__(
        self,
        store: Path,
        campaign: int | None = None,
        open_source: Callable[[Path], CampaignSource] = open_store,
    ) -> None:
        super().__init__()
        self.store = store
        self._reader = SnapshotReader(partial(open_source, store))
        self._wake = threading.Event()
        self.set_reactive(DearApp.campaign, campaign)
        if self.console.color_system == "standard":
            self.theme = ANSI_THEME

    def on_mount(self) -> None:
        """Show the first screen at once; the store follows."""
        self.switch_mode("campaigns" if self.campaign is None else "live")
        self.read_store()

    @work(thread=True, exclusive=True, group="read_store")
    def read_store(self) -> None:
        """Read until the app ends; one reading at a time, however slow the disk."""
        worker = get_current_worker()
        while not worker.is_cancelled:
            self.post_message(SnapshotRead(self._reader.read(self.campaign)))
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def on_snapshot_read(self, message: SnapshotRead) -> None:
        """Hand the newest to the screens."""
        self.snapshot = message.snapshot

    def on_unmount(self) -> None:
        """Let the reading thread end now."""
        self._wake.set()

    def watch_campaign(self) -> None:
        """Read its curve now."""
        self._wake.set()

    def open_sql(self, text: str) -> None:
        """Show this query on the SQL screen and run it."""
        self.sql_text = text
        self.switch_mode("sql")

    async def action_quit(self) -> None:
        """Leave; running campaigns go on, and the caller is told."""
        self.exit(self.farewell())

    def farewell(self) -> str:
        """One sentence for each campaign that goes on; empty when none does."""
        return "\n".join(
            f"Campaign {status.id} ({status.name}) goes on in its own process, "
            f"{percent(status.pairs_done, status.pairs)} done; dear-tui shows it again."
            for status in self.snapshot.campaigns or ()
            if status.state == "running"
        )

    def action_show_keys(self) -> None:
        """List the keys that work here."""
        self.push_screen(KeysScreen(actions_of(self.screen)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action of the screen with its key, and the theme."""
        for action in actions_of(screen):
            title = f"{action.name} ({action.keys[0]})"
            yield SystemCommand(title, action.explanation, partial(self.run_action, action.command, action.node))
        yield SystemCommand("theme", "change the colours", self.action_change_theme)
