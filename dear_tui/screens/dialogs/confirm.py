"""A question before what cannot be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.settings.keymap import with_ids

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ConfirmScreen(Dialog[bool]):
    """Only `y` is yes."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "confirm-screen",
        Binding("y", "dismiss(True)", "yes", tooltip="do it"),
        Binding("n,escape,q", "dismiss(False)", "no", tooltip="leave it as it is"),
    )
    DEFAULT_CSS = """
    ConfirmScreen {
        align: center middle;
        Vertical {
            width: 64; max-width: 90%; height: auto; padding: 0 2;
            border: round $warning; border-subtitle-color: $foreground; background: $surface;
        }
        Static { width: 1fr; height: auto; }
    }
    """

    def __init__(self, question: str, consequence: str) -> None:
        super().__init__()
        self._question = question
        self._consequence = consequence

    def compose(self) -> ComposeResult:
        """Question, what comes of a yes, and the two keys."""
        text = Content.assemble((self._question, "bold"), f"\n\n{self._consequence}")
        box = Vertical(Static(text))
        box.border_subtitle = Content.assemble(("y", "bold"), " yes   ", ("n", "bold"), " no")
        yield box
