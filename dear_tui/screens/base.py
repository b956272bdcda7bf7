"""What both screens are: a top bar, a line for trouble, a body that shows snapshots, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from dear_tui.widgets.key_bar import KeyBar
from dear_tui.widgets.status_text import MUTED
from dear_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from dear_tui.app import DearApp
    from dear_tui.source import Snapshot

NO_CAMPAIGN = Content.from_markup(
    "No campaign yet.\n\n"
    "[b]dear-tui demo[/b] runs the bundled LeNet-5 on MNIST,\n"
    "[b]dear-tui run CONFIG[/b] runs your own network.\n\n"
    "It appears here by itself."
)
READING = Content.styled("Reading the store ...", MUTED)


def unread(snapshot: Snapshot) -> Content:
    """What stands in the place of campaigns that were never read: nothing where the trouble is said above."""
    return Content("") if snapshot.problem else READING


class SnapshotScreen(Screen[None]):
    """Shows the app's snapshot whenever it changes while the screen is in front."""

    TAB: ClassVar[str]
    ALLOW_IN_MAXIMIZED_VIEW = "KeyBar, .problem"
    AUTO_FOCUS = ""
    """nothing: the body takes the focus once it has something to show, so that only keys that work are listed"""
    DEFAULT_CSS = """
    SnapshotScreen {
        .problem { height: auto; padding: 0 1; color: $text-error; background: $error-muted; display: none; }
        .message { height: 1fr; content-align: center middle; text-align: center; padding: 0 2; }
        &.-maximized-view { hatch: none; }
    }
    """

    @property
    def dear(self) -> DearApp:
        """The app, by its own type."""
        return cast("DearApp", self.app)

    def compose(self) -> ComposeResult:
        """Frame and body."""
        yield TopBar(self.TAB, str(self.dear.store))
        yield Static(Content(""), classes="problem")
        yield from self.compose_body()
        yield KeyBar()

    def compose_body(self) -> ComposeResult:
        """The screen's own widgets."""
        raise NotImplementedError

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the present."""
        raise NotImplementedError

    def show_body(self, body: Widget, shown: bool) -> None:
        """Show the body's widget and give it the keys, or the message in its place."""
        body.display = shown
        self.query_one(".message").display = not shown
        if shown != (self.focused is body):
            self.set_focus(body if shown else None)

    def show_line(self, line: Static, text: Content) -> None:
        """Show a text where there is one; laying out again repaints the whole screen, so only when it is another."""
        if text != line.content:
            line.display = bool(text.plain)
            line.update(text)

    def on_mount(self) -> None:
        """Follow the app's snapshot."""
        self.watch(self.app, "snapshot", self.refresh_snapshot, init=False)

    def on_screen_resume(self) -> None:
        """Catch up with what came while another screen was in front."""
        self.refresh_snapshot()

    def on_resize(self) -> None:
        """Lines are laid out for the width."""
        self.call_after_refresh(self.refresh_snapshot)

    def refresh_snapshot(self) -> None:
        """Show the app's snapshot, with the store's trouble above it."""
        if not self.is_current:
            return
        snapshot = self.dear.snapshot
        self.show_line(self.query_one(".problem", Static), Content(snapshot.problem))
        self.show_snapshot(snapshot)
