"""One line asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Prompt(Dialog[str | None]):
    """A question, an answer to edit, and what was wrong with the last one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "cancel")]
    DEFAULT_CSS = """
    Prompt {
        align: center middle;
        Vertical {
            width: 72; max-width: 100%; height: auto; padding: 0 2; border: round $primary; background: $surface;
        }
        Input { border: none; height: 1; padding: 0; margin: 1 0; background: $panel; &:focus { border: none; } }
        .trouble { color: $text-warning; height: auto; }
    }
    """

    def __init__(self, title: str, answer: str, explanation: str, problem: str = "") -> None:
        super().__init__()
        self._title, self._answer = title, answer
        self._explanation, self._problem = explanation, problem

    def compose(self) -> ComposeResult:
        """A box with one line to write in."""
        box = Vertical(
            Input(self._answer, select_on_focus=False),
            Static(Content(self._problem), classes="trouble"),
            Static(Content.styled(self._explanation, MUTED)),
        )
        box.border_title = Content(self._title)
        box.border_subtitle = "enter goes on, esc cancels"
        yield box

    def on_mount(self) -> None:
        """No empty line where nothing is wrong."""
        self.query_one(".trouble").display = bool(self._problem)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the answer over."""
        self.dismiss(event.value.strip())
