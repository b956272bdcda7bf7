"""The keys that work where one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from dear_tui.widgets.status_text import MUTED

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from dear_tui.actions import Action


class KeysScreen(ModalScreen[None]):
    """A table of keys over the screen they belong to."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter,space", "dismiss", "close")]
    DEFAULT_CSS = """
    KeysScreen {
        align: center middle;
        VerticalScroll {
            width: auto; max-width: 100%; height: auto; max-height: 100%;
            padding: 0 2; border: round $primary; background: $surface;
        }
        Static { width: auto; }
    }
    """

    def __init__(self, actions: list[Action]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """One line an action."""
        box = VerticalScroll(Static(Content("\n").join(map(_line, self._actions))))
        box.border_title = "keys here"
        box.border_subtitle = "esc closes"
        yield box


def _line(action: Action) -> Content:
    keys = Content.styled(f"{' '.join(action.keys):>9}", "bold $text-accent")
    return Content.assemble(keys, f"  {action.name:<12}", (f"  {action.explanation}", MUTED))
