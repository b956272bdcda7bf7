"""One value of a result, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from dear_tui.screens.dialogs.dialog import Dialog
from engine.printable import printable, printable_line

if TYPE_CHECKING:
    from textual.app import ComposeResult

MOST = 100_000
"""characters shown; all of them are copied"""


class ValueScreen(Dialog[None]):
    """A text to scroll through."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v,q,enter,space", "dismiss", "close"),
        Binding("y", "copy", "copy"),
        Binding("j", "scroll_to('down')", "down", show=False),
        Binding("k", "scroll_to('up')", "up", show=False),
    ]
    DEFAULT_CSS = """
    ValueScreen {
        align: center middle;
        VerticalScroll {
            width: auto; min-width: 30; max-width: 90%; height: auto; max-height: 90%;
            padding: 0 2; border: round $primary; background: $surface;
        }
        Static { width: auto; }
    }
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._heading, self._text = name, text

    def compose(self) -> ComposeResult:
        """The text in a box."""
        box = VerticalScroll(Static(Content(printable(self._text[:MOST]))))
        box.border_title = Content(printable_line(self._heading))
        box.border_subtitle = "y copies, esc closes"
        yield box

    def action_copy(self) -> None:
        """All of it, to the terminal's clipboard."""
        self.app.copy_to_clipboard(self._text)
        self.query_one(VerticalScroll).border_subtitle = "copied; esc closes"
