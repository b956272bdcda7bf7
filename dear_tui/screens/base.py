"""What every screen is: a top bar, a line for trouble, a body that shows snapshots, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from dear_tui.settings.keymap import with_ids
from dear_tui.terminal.textual_private import take_styles_as_they_are
from dear_tui.widgets.common.key_bar import KeyBar
from dear_tui.widgets.common.panes import Panes
from dear_tui.widgets.common.top_bar import TopBar

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from dear_tui.access.store_location import Snapshot
    from dear_tui.app import DearApp


class SnapshotScreen(Screen[None]):
    """Shows the app's snapshot whenever it changes while the screen is in front."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "snapshot-screen",
        Binding("n", "new", "new", tooltip="a form for a new campaign"),
        *(
            Binding(key, f"enlarge({size!r}, {steps})", word, show=False, key_display=sign, tooltip=f"this pane{mouse}")
            for key, sign, size, steps, word, mouse in (
                ("left_parenthesis", "(", "width", -1, "narrower", ""),
                ("right_parenthesis", ")", "width", 1, "wider", "; the mouse drags its border, too"),
                ("left_curly_bracket", "{", "height", -1, "shorter", ""),
                ("right_curly_bracket", "}", "height", 1, "taller", "; the mouse drags its border, too"),
            )
        ),
    )
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

    def __init__(self) -> None:
        super().__init__()
        take_styles_as_they_are(self)
        self._is_empty = False
        """whether the store is known to have no campaign"""

    @property
    def dear(self) -> DearApp:
        """The app, by its own type."""
        return cast("DearApp", self.app)

    def compose(self) -> ComposeResult:
        """The top bar, the line for trouble, the body, and the keys."""
        screens = self.dear.SHOWN
        current = next((info for info in screens if isinstance(self, info.screen)), screens[0])
        yield TopBar([info.tab for info in screens], current.tab, str(self.dear.store))
        yield Static(Content(""), classes="problem")
        yield from self.compose_body()
        yield KeyBar()

    def compose_body(self) -> ComposeResult:
        """The screen's own widgets."""
        raise NotImplementedError

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what the store holds now."""
        raise NotImplementedError

    def show_line(self, line: Static, text: Content) -> None:
        """Show a text where there is one; laying out again repaints the whole screen, so only when it is another."""
        if text != line.content:
            line.display = bool(text.plain)
            line.update(text)

    def on_mount(self) -> None:
        """Follow the app's snapshot."""
        self.watch(self.app, "snapshot", self.refresh_snapshot, init=False)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Catch up with what came while another screen was in front."""
        event.refresh_styles = False  # they are what they were: the app sees to a change of the theme when it switches
        self.refresh_snapshot()

    def on_screen_suspend(self) -> None:
        """What is dragged is let go: the mouse is for the screen in front."""
        self.app.capture_mouse(None)

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
        if self._is_empty != (snapshot.campaigns == ()):
            self._is_empty = snapshot.campaigns == ()
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A first campaign is made from wherever one finds that there is none; a border is moved where there is one."""
        if action == "new":
            return self._is_empty and len(self.app.screen_stack) == 1
        if action == "enlarge":
            return self._panes(str(parameters[0])) is not None
        return super().check_action(action, parameters)

    def action_new(self) -> None:
        """Open the form for a new campaign."""
        self.dear.open_form()

    def action_enlarge(self, size: str, steps: int) -> None:
        """Make the pane with the focus wider or taller, or less so."""
        panes = self._panes(size)
        if panes is not None and self.focused is not None:
            panes.enlarge(self.focused, steps)

    def on_panes_divided(self) -> None:
        """Lines are laid out for the width of a pane, too."""
        self.refresh_snapshot()

    def _panes(self, size: str) -> Panes | None:
        """The innermost ones around the focus whose border can be moved in this direction."""
        around = self.focused.ancestors if self.focused is not None and self.maximized is None else ()
        return next((one for one in around if isinstance(one, Panes) and one.can_move(size == "width")), None)
