"""Letters over everything that can take the keys: pressing one goes there."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.dom import NoScreen
from textual.errors import NoWidget
from textual.geometry import Offset
from textual.widgets import Label, Tab, Tabs

from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.widgets.common.top_bar import TopBar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events
    from textual.app import App, ComposeResult
    from textual.screen import Screen
    from textual.widget import Widget

LETTERS = "asdfghjklqwertyuiopzxcvbnm" + ascii_uppercase


@dataclass(frozen=True)
class Target:
    """Where a letter stands, and what it leads to: a widget, a tab of it, or a screen's mode."""

    letter: str
    place: Offset
    goal: Widget | str

    def go(self, app: App[str]) -> None:
        """Move the focus to what the letter stands on."""
        if isinstance(self.goal, str):
            app.switch_mode(self.goal)
        elif isinstance(self.goal, Tab):
            tabs = self.goal.query_ancestor(Tabs)
            tabs.active = self.goal.id or ""
            tabs.focus()
        else:
            self.goal.focus()


def jump_targets(screen: Screen[object]) -> list[Target]:
    """What can be seen of the screen, tabs by their digits, the rest by letters from top to bottom."""
    targets = [
        Target(tab.key, bar.region.offset + Offset(column), tab.name)
        for bar in screen.query(TopBar)
        if _is_seen(screen, bar)
        for tab, column in bar.placed_tabs()
    ]
    seen = [widget for widget in _goals(screen) if _is_seen(screen, widget)]
    seen.sort(key=lambda widget: (widget.region.y, widget.region.x))
    return targets + [
        Target(letter, screen.find_widget(widget).visible_region.offset, widget)
        for letter, widget in zip(LETTERS, seen, strict=False)
    ]


def _goals(screen: Screen[object]) -> Iterator[Widget]:
    for widget in screen.focus_chain:
        if isinstance(widget, Tabs):
            yield from widget.query(Tab)
        else:
            yield widget


def _is_seen(screen: Screen[object], widget: Widget) -> bool:
    try:
        return bool(screen.find_widget(widget).visible_region)
    except (NoWidget, NoScreen):
        return False


class JumpScreen(Dialog["Target | None"]):
    """The letters, over the screen they belong to, which stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "stay here")]
    DEFAULT_CSS = """
    JumpScreen {
        background: $background 30%;
        Label {
            position: absolute; width: auto; height: 1; padding: 0 1;
            background: $accent; color: $background; text-style: bold reverse;
        }
    }
    """

    def __init__(self, targets: list[Target]) -> None:
        super().__init__()
        self._targets = targets

    def compose(self) -> ComposeResult:
        """A label on each thing to go to."""
        for target in self._targets:
            label = Label(target.letter)
            label.styles.offset = (target.place.x, target.place.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go there, or stay where nothing is."""
        goal = next((target for target in self._targets if target.letter == event.character), None)
        if goal or event.key != "escape":
            event.stop()
            self.dismiss(goal)

    def on_click(self) -> None:
        """Close the labels and go nowhere."""
        self.dismiss(None)
