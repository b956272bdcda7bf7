"""Where to save a config, asked until it is saved or not wanted any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from dear_tui.screens.dialogs.confirm import ConfirmScreen
from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.form.path_suggester import PathSuggester
from engine.paths import expanded
from engine.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


class SaveConfigScreen(Dialog[Path | None]):
    """A path, completed as it is typed; the answer is where it was saved."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "save-config-screen", Binding("escape", "dismiss(None)", "not now", tooltip="save nothing")
    )
    DEFAULT_CSS = """
    SaveConfigScreen {
        align: center middle;
        Vertical {
            width: 72; max-width: 90%; height: auto; padding: 0 1;
            border: round $primary; border-subtitle-color: $foreground; background: $surface;
        }
        .trouble { height: auto; color: $text-error; display: none; }
    }
    """

    def __init__(self, folder: Path, file: str, write: Callable[[Path], None]) -> None:
        """Ask for a path.

        Args:
            folder: where a relative one starts.
            file: the name to propose.
            write: saves; see `write_toml` for what it raises.
        """
        super().__init__()
        self._folder = folder
        self._file = file
        self._write = write

    def compose(self) -> ComposeResult:
        """The path, in the folder where the config's paths start."""
        suggester = PathSuggester(lambda: self._folder)
        box = Vertical(
            Input(str(self._folder / self._file), suggester=suggester, compact=True, select_on_focus=False),
            Static(Content(""), classes="trouble"),
        )
        box.border_title = "save as TOML"
        box.border_subtitle = Content.assemble(("enter", "bold"), " saves   ", ("esc", "bold"), " does not")
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save the config to the path that was typed."""
        if event.value.strip():
            self.save(self._folder / expanded(Path(event.value.strip())), may_overwrite=False)

    @work(thread=True, group="save")
    def save(self, path: Path, may_overwrite: bool) -> None:
        """Write the file; one that is there is asked about."""
        try:
            if path.exists() and not may_overwrite:
                self.app.call_from_thread(self._ask_to_overwrite, path)
                return
            self._write(path)
        except (OSError, ValueError, RuntimeError) as error:
            problem = f"{path}: cannot be written ({_reason(error)}); choose another file"
            self.app.call_from_thread(self._show_problem, problem)
        else:
            self.app.call_from_thread(self.dismiss, path)

    def _show_problem(self, problem: str) -> None:
        trouble = self.query_one(".trouble", Static)
        trouble.update(Content(printable(problem)))
        trouble.display = True

    def _ask_to_overwrite(self, path: Path) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.save(path, may_overwrite=True)

        self.app.push_screen(ConfirmScreen(f"Overwrite {path.name}?", f"{path} is there already."), answered)


def _reason(error: Exception) -> str:
    match error:
        case OSError():
            return str(error.strerror)
        case ValueError():
            return "it names a file whose name is no UTF-8"
    return "a link that leads to itself"
