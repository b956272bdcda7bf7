"""The terminal program: its screens over one store, which a thread reads at most four times a second."""

from __future__ import annotations

import asyncio
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import Monochrome, NoColor
from textual.reactive import var
from textual.widgets import Input
from textual.worker import get_current_worker

from dear_tui.access.description import outcome_text
from dear_tui.access.store_location import Snapshot, SnapshotReader, open_store
from dear_tui.access.store_reader import Desk
from dear_tui.machine.machine import Machine
from dear_tui.planner.process import Planner
from dear_tui.screens.dialogs.dialog import Palette
from dear_tui.screens.dialogs.jump import JumpScreen, jump_targets
from dear_tui.screens.dialogs.keys import KeysScreen
from dear_tui.screens.dialogs.themes import ThemePalette
from dear_tui.screens.elsewhere import actions_elsewhere
from dear_tui.screens.new_campaign import NewCampaignScreen
from dear_tui.screens.registry import SCREENS, ScreenInfo
from dear_tui.settings.actions import Explains, actions_of
from dear_tui.settings.class_colours import class_variables
from dear_tui.settings.kept_theme import KeptTheme
from dear_tui.settings.keymap import with_ids
from dear_tui.settings.pane_shares import PaneShares
from dear_tui.settings.settings import Settings
from dear_tui.settings.settings_keeper import SettingsKeeper
from dear_tui.terminal.crash import record_crash
from dear_tui.terminal.gc_pauses import GarbageBetweenKeys
from dear_tui.terminal.input import TerminalDriver
from dear_tui.terminal.signals import end_if_terminal_is_gone
from dear_tui.terminal.textual_private import (
    AppWithoutTracebacks,
    line_filters,
    shown_notices,
    take_notice_away,
    turns_no_page,
    uncaught_error,
    write_to_terminal,
)
from dear_tui.terminal.threads import DaemonThreads
from dear_tui.text.messages import SnapshotRead
from dear_tui.text.notices import changed, desktop_sequence, farewell, notice_of, outdated
from dear_tui.text.printed_lines import NothingSteers
from engine.paths import free_name, present_folder, replace_text
from engine.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from rich.console import RenderableType
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode
    from textual.notifications import Notify, SeverityLevel
    from textual.screen import Screen

    from dear_tui.planner.reports import Order
    from dear_tui.screens.dialogs.jump import Target
    from dear_tui.text.notices import Notice
    from engine.store import CampaignStatus
    from engine.store.read.reading import StoreReader

POLL_SECONDS = 0.25
NOTICE_SECONDS = 8.0
REASON_SECONDS = 4.0
ERROR_SECONDS = 15.0
"""at least: an error is read more than once"""
SWITCH_SECONDS = 0.01
MOST_PASTED = 4096
"""letters into a field of one line; a path has no more, and a megabyte there would take a minute"""


class DearApp(AppWithoutTracebacks[str]):
    """Shows campaigns; starts none. `run()` returns a sentence to print when a campaign goes on without it."""

    TITLE = "dear-tui"
    CSS = """
    CommandPalette > Vertical { width: 90; max-width: 100%; }
    SearchIcon { display: none; }
    ModalScreen Toast, CommandPalette Toast { display: none; }
    """
    SHOWN: ClassVar[tuple[ScreenInfo, ...]] = SCREENS
    """with a tab each"""
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {info.name: info.screen for info in SCREENS}
    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "app",
        *(info.binding for info in SCREENS),
        Binding("question_mark", "show_keys", "keys", key_display="?", tooltip="what works here"),
        Binding("f,ctrl+o", "jump", "jump", show=False, tooltip="letters on all there is; one goes there"),
        Binding("z", "toggle_maximized", "maximise", show=False, tooltip="the focused part fills the screen; and back"),
        Binding("ctrl+p", "command_palette", "palette", show=False, priority=True, tooltip="find any action by name"),
        Binding("q", "quit", "quit", tooltip="a running campaign goes on"),
        Binding(
            "ctrl+q",
            "quit",
            "quit",
            show=False,
            priority=True,
            tooltip="also while typing",
            id="app.quit-while-typing",
        ),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, tooltip="fg comes back"),
    )

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
        open_source: Callable[[Path], StoreReader] = open_store,
        open_desk: Callable[[Path], Desk] = Desk,
        plan_with: Callable[[Order], Planner] = Planner,
        settings: Settings | None = None,
        machine: Machine | None = None,
    ) -> None:
        super().__init__(driver_class=TerminalDriver)
        self.store = store
        self.machine = machine or Machine()
        self.desk = open_desk(store)
        """where campaigns are ordered about"""
        self.plan_with = plan_with
        """what tries configs out"""
        self.open_source = partial(open_source, store)
        """another reader of the store, for a thread of its own"""
        self._reader = SnapshotReader(self.open_source)
        self._wake = threading.Event()
        self.set_reactive(DearApp.campaign, campaign)
        self._settings = settings or Settings()
        self.crash = ""
        """what to tell the user after the screens broke down"""
        self.set_keymap(dict(self._settings.keys))
        line_filters(self).insert(0, NothingSteers())
        self._garbage = GarbageBetweenKeys()
        keeper = SettingsKeeper(self, self._settings.path)
        self.shares = PaneShares(self._settings.panes, keeper)
        """of the panes of all screens"""
        self._kept_theme = KeptTheme(self, self._settings, keeper)
        self.theme = self._kept_theme.first
        if self._kept_theme.has_few_colours:
            # Textual chose its filters for the theme before: greys of a terminal's own colours would be black on black
            filters = line_filters(self)
            filters[:] = [NoColor() if isinstance(each, Monochrome) else each for each in filters]

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Where a key does nothing now, say why."""
        if turns_no_page(default_namespace, str(action)):
            return True
        if await super().run_action(action, default_namespace, namespaces):
            return True
        reason = default_namespace.why_not(str(action)) if isinstance(default_namespace, Explains) else ""
        if reason:
            self.notify(reason, severity="warning", timeout=REASON_SECONDS, markup=False)
        return bool(reason)

    def on_load(self) -> None:
        """Run background work in threads that do not keep the program alive, and end on SIGTERM as on `q`."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonThreads())
        if not self.is_headless:
            loop.add_signal_handler(signal.SIGTERM, self.exit)
            self.set_interval(1.0, end_if_terminal_is_gone)

    def delay_update(self, delay: float = SWITCH_SECONDS) -> None:
        """Textual holds the drawing for 50 ms when the screen is switched; this is all that a key may take."""
        super().delay_update(delay)

    def on_mount(self) -> None:
        """Show the first screen at once; the store follows."""
        self.app_resume_signal.subscribe(self, self.draw_anew)
        self.switch_mode("campaigns" if self.campaign is None else "live")
        self.read_store()
        self.set_interval(1.0, self._garbage.look)

    async def on_event(self, event: events.Event) -> None:
        """Every key comes through here, and every paste, of which a field of one line gets as much as it can hold."""
        if isinstance(event, events.Paste) and isinstance(self.focused, Input) and len(event.text) > MOST_PASTED:
            event.text = event.text[:MOST_PASTED]
            self.notify(f"only the first {MOST_PASTED:,} letters were pasted: this is a field of one line")
        if isinstance(event, events.InputEvent):
            self._garbage.key_pressed()
        await super().on_event(event)

    def draw_anew(self, _app: App[Any]) -> None:
        """Draw all of it: after a stop the terminal is empty, and Textual draws only what has changed."""
        self.refresh(layout=True)

    @work(thread=True, exclusive=True, group="read_store")
    def read_store(self) -> None:
        """Read until the app ends; one reading at a time, however slow the disk."""
        worker = get_current_worker()
        while not worker.is_cancelled:
            self.post_message(SnapshotRead(self._reader.read(self.campaign)))
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
        self._reader.close()

    def on_snapshot_read(self, message: SnapshotRead) -> None:
        """Hand the newest to the screens, and say which campaigns have ended."""
        before, self.snapshot = self.snapshot, message.snapshot
        for status in changed(before, message.snapshot):
            if status.state == "finished":
                self.tell_findings(status)
            elif notice := notice_of(status):
                self.tell(notice)

    @work(thread=True, group="tell_findings")
    def tell_findings(self, status: CampaignStatus) -> None:
        """Say that a campaign is finished, with what its faults did."""
        self.call_later(self.tell, notice_of(status, outcome_text(status, self.desk.findings(status.id))))

    def tell(self, notice: Notice) -> None:
        """A toast; the terminal's bell and the desktop's notification where the user wants them."""
        self.notify(notice.text, severity=notice.severity, timeout=NOTICE_SECONDS, markup=False)
        if self._settings.bell:
            self.bell()
        if self._settings.desktop:
            write_to_terminal(self, desktop_sequence(notice.text))

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - names are in it: what looks like markup is none
    ) -> None:
        """A toast, of the text as it is; an error stays longer than any other."""
        if severity == "error":
            timeout = max(timeout or 0, ERROR_SECONDS)
        super().notify(printable(message), title=title, severity=severity, timeout=timeout, markup=False)

    def on_notify(self, event: Notify) -> None:
        """Take away what a new notice replaces, before Textual shows it."""
        for told in outdated(shown_notices(self), event.notification):
            take_notice_away(self, told)

    def on_unmount(self) -> None:
        """Let the reading thread end now, and close what the screens asked; a store that hangs keeps nobody."""
        self.workers.cancel_group(self, "read_store")
        self._wake.set()
        asyncio.get_running_loop().run_in_executor(None, self.desk.close)
        self._garbage.end()

    def read_now(self) -> None:
        """Read the store at once: it was changed from here, or another campaign is looked at."""
        self._wake.set()

    def get_css_variables(self) -> dict[str, str]:
        """The theme's, and the colours of the classes made of them."""
        variables = super().get_css_variables()
        return variables | class_variables(variables)

    def open_sql(self, text: str) -> None:
        """Show this query on the SQL screen and run it."""
        self.sql_text = text
        self.switch_mode("sql")

    def open_form(self) -> None:
        """Let the user make a new campaign."""
        self.push_screen(NewCampaignScreen())

    async def action_quit(self) -> None:
        """Leave; running campaigns go on, and the caller is told."""
        self.exit(farewell(self.snapshot))

    def action_show_keys(self) -> None:
        """List the keys that work here."""
        self.push_screen(KeysScreen(actions_of(self.screen)))

    def action_command_palette(self) -> None:
        """List every action by its name."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def open_campaign(self, campaign: int) -> None:
        """Watch a campaign on the live screen."""
        self.campaign = campaign
        self.switch_mode("live")

    def save_picture(self) -> None:
        """Save what the screen shows, as soon as the palette is gone."""
        self.call_after_refresh(lambda: self.write_picture(self.export_screenshot(title=self.TITLE)))

    @work(thread=True, group="write_picture")
    def write_picture(self, picture: str) -> None:
        """Write an SVG into the present folder, under a name that is free."""
        folder = present_folder()
        name = f"{free_name(folder, 'dear-tui', ('.svg',))}.svg"
        try:
            replace_text(folder / name, picture)
        except OSError as error:
            self.call_from_thread(self.notify, f"{name}: cannot be written ({error.strerror})", severity="error")
        else:
            self.call_from_thread(self.notify, f"saved {folder / name}")

    def search_themes(self) -> None:
        """List the themes, the present one first; the one under the cursor is shown at once, and kept when chosen."""
        names = sorted(self.available_themes, key=lambda name: (name != self.theme, name))
        self.push_screen(ThemePalette(self.screen, names, self._kept_theme))

    def action_jump(self) -> None:
        """Go to what has the letter that is pressed next."""
        self.push_screen(JumpScreen(jump_targets(self.screen)), self._go)

    def _go(self, target: Target | None) -> None:
        if target is not None:
            target.go(self)

    def action_toggle_maximized(self) -> None:
        """The focused widget alone, or everything again."""
        if self.screen.maximized:
            self.screen.minimize()
        else:
            self.screen.action_maximize()

    def panic(self, *_renderables: RenderableType) -> None:
        """Leave after something unexpected; the traceback goes to a file, and `crash` tells it in a sentence."""
        self.crash = self.crash or record_crash(uncaught_error(self) or RuntimeError("the terminal cannot be read"))
        super().panic()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action of the screen with its key, the theme, a picture; typed, all else there is, too."""
        for action in actions_of(screen):
            title = f"{action.name} ({action.keys[0]})"
            yield SystemCommand(title, action.explanation, partial(self.run_action, action.command, action.node))
        yield SystemCommand("theme", "change the colours", self.action_change_theme)
        yield SystemCommand("new campaign", "a form for it", self.open_form)
        yield SystemCommand("save a screenshot", "an SVG in the present folder", self.save_picture)
        for status in self.snapshot.campaigns or ():
            title = f"campaign {status.id} {printable(status.name)}"
            open_it = partial(self.open_campaign, status.id)
            yield SystemCommand(title, f"{status.state}; opens it live", open_it, discover=False)
        for other in actions_elsewhere(self.current_mode, self._settings.keys):
            title = f"{other.name} ({self.get_key_display(other.binding)})"
            help_text = other.binding.tooltip or ""
            yield SystemCommand(title, help_text, partial(other.go_and_do, self), discover=False)
