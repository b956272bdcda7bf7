"""The keys that work where one is."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.dom import DOMNode

    from dear_tui.settings.actions import Action


BORDER = 2


class KeysScreen(Dialog[None]):
    """A table of keys: those of the focused widget, of the screen, of the program.

    The screen they belong to does not shine through: to tint it is half of what a key may take.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space", "dismiss", "close"),
        Binding("j", "scroll_to('down')", "down"),
        Binding("k", "scroll_to('up')", "up"),
        Binding("g", "scroll_to('home')", "top"),
        Binding("G", "scroll_to('end')", "end"),
    ]
    DEFAULT_CSS = """
    KeysScreen {
        align: center middle;
        &, &:ansi { background: $background; }
        VerticalScroll {
            width: auto; max-width: 100%; height: auto; max-height: 100%;
            padding: 0 2; border: round $primary; background: $surface;
            scrollbar-size-vertical: 1;
        }
        Static { width: auto; max-width: 100%; }
    }
    """

    def __init__(self, actions: list[Action]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """A heading for each place, one line an action."""
        keys = max((len(_keys(action)) for action in self._actions), default=0)
        names = max((len(action.name) for action in self._actions), default=0)
        lines = []
        places = list(dict.fromkeys(action.node for action in self._actions))
        actions_by_place = sorted(self._actions, key=lambda action: places.index(action.node))
        for node, actions in groupby(actions_by_place, lambda action: action.node):
            lines += [Content(""), *_heading(node)]
            lines += [_line(action, keys, names) for action in actions]
        box = VerticalScroll(Static(Content("\n").join(lines[1:])))
        box.border_title = "keys here"
        box.border_subtitle = "j k scroll, esc closes" if len(lines) > self.app.size.height - BORDER else "esc closes"
        yield box


def _heading(node: DOMNode) -> list[Content]:
    """Where these keys work, and the help that the place has to give."""
    if isinstance(node, App):
        name = "everywhere"
    elif isinstance(node, Screen):
        name = "on this screen"
    else:
        name = re.sub(r"(?<=[a-z])([A-Z])", r" \1", type(node).__name__).lower()
    return [Content.styled(name, "bold $text-primary"), *map(Content, (node.HELP or "").strip().splitlines())]


def _keys(action: Action) -> str:
    return " ".join(action.keys)


def _line(action: Action, keys: int, names: int) -> Content:
    return Content.assemble(
        (f"{_keys(action):>{keys}}", "bold $text-accent"),
        f"  {action.name:<{names}}",
        (f"  {action.explanation}", MUTED),
    )
