"""Where to save a config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from dear_tui.widgets.field_row import PathSuggester

if TYPE_CHECKING:
    from textual.app import ComposeResult


class SaveConfigScreen(ModalScreen[Path | None]):
    """A path, completed as it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "not now", tooltip="save nothing")]
    DEFAULT_CSS = """
    SaveConfigScreen {
        align: center middle;
        Vertical {
            width: 72; max-width: 90%; height: auto; padding: 0 1;
            border: round $primary; border-subtitle-color: $foreground; background: $surface;
        }
    }
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__()
        self._folder = folder
        self._file = name

    def compose(self) -> ComposeResult:
        """The path, in the folder where the config's paths start."""
        box = Vertical(
            Input(str(self._folder / self._file), suggester=PathSuggester(lambda: self._folder), compact=True)
        )
        box.border_title = "save as TOML"
        box.border_subtitle = Content.assemble(("enter", "bold"), " saves   ", ("esc", "bold"), " does not")
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save there."""
        if event.value.strip():
            self.dismiss(self._folder / Path(event.value.strip()).expanduser())
