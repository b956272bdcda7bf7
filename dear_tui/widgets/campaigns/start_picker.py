"""What a new campaign starts from: a sample, a campaign of the store, or a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Static

from dear_tui.form.sources import FIRST, Start, from_file, from_sample
from dear_tui.widgets.common.keyed_row import KeyedRow
from dear_tui.widgets.form.choice import Choice
from dear_tui.widgets.form.path_suggester import PathSuggester
from engine.errors import DearError
from engine.paths import present_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from dear_tui.access.store_reader import Desk
    from engine.config.fields import ConfigField
    from engine.store import CampaignStatus


class StartPicker(Vertical):
    """Reads what is chosen, the first sample to begin with."""

    DEFAULT_CSS = """
    StartPicker {
        height: auto;
        KeyedRow { height: 1; }
        Input, Select { width: 1fr; max-width: 60; }
    }
    """

    @dataclass
    class Read(Message):
        """A config to start from."""

        start: Start

    @dataclass
    class Refused(Message):
        """The file could not be read."""

        problem: str

    def __init__(
        self,
        samples: Sequence[str],
        campaigns: Sequence[CampaignStatus],
        desk: Desk,
        fields: Sequence[ConfigField],
    ) -> None:
        super().__init__()
        self._options = [(f"sample {name}", f"sample:{name}") for name in samples]
        self._options += [(f"#{status.id} {status.name}", f"campaign:{status.id}") for status in campaigns]
        self._desk = desk
        self._fields = fields

    def compose(self) -> ComposeResult:
        """Two ways to choose."""
        yield Static("start from", classes="section -first")
        with KeyedRow():
            yield Static("one of these", classes="key")
            yield Choice(self._options, f"sample:{FIRST}")
        with KeyedRow():
            yield Static("or a file", classes="key")
            suggester = PathSuggester(present_folder)
            yield Input(placeholder="a TOML file; enter reads it", suggester=suggester, compact=True)

    def on_select_changed(self, event: Choice.Changed) -> None:
        """Read the sample or campaign; the first one is told of when it is mounted."""
        event.stop()
        kind, _, name = str(event.value).partition(":")
        self.read_start(kind, name)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the file that was typed."""
        event.stop()
        if event.value.strip():
            self.read_start("file", event.value.strip())

    @work(thread=True, exclusive=True, group="read_start")
    def read_start(self, kind: str, name: str) -> None:
        """Off the event loop."""
        try:
            self.post_message(self.Read(self._start(kind, name)))
        except DearError as error:
            self.post_message(self.Refused(str(error)))

    def _start(self, kind: str, name: str) -> Start:
        match kind:
            case "sample":
                return from_sample(name)
            case "campaign":
                return Start(self._desk.config(int(name)), present_folder())
            case _:
                return from_file(Path(name), self._fields)
