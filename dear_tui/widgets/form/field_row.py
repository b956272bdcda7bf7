"""One key of a config on one line: its name, what is typed or chosen, and what is wrong with it or what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester, SuggestFromList
from textual.widgets import Input, Select, Static

from dear_tui.widgets.common.keyed_row import KeyedRow
from dear_tui.widgets.form.choice import Choice
from dear_tui.widgets.form.path_suggester import PathSuggester

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult

    from dear_tui.form.draft import Place
    from engine.config.fields import ConfigField

NAMES = {"list": "list file", "n": "images", "eps": "± eps"}
"""what a key is called where it says too little by itself"""


class FieldRow(KeyedRow):
    """A key with its problem; a key that does not apply is not shown."""

    DEFAULT_CSS = """
    FieldRow {
        height: auto; display: none;
        Input, Select { width: 30; }
        .problem-here { width: 1fr; padding-left: 2; color: $text-error; }
        .hint { width: 1fr; padding-left: 2; color: $foreground-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        .hint { display: none; }
    }
    """

    class Changed(Message):
        """Something else is typed or chosen."""

        def __init__(self, place: Place, text: str) -> None:
            super().__init__()
            self.place = place
            self.text = text

    def __init__(self, field: ConfigField, text: str, folder: Callable[[], Path]) -> None:
        super().__init__()
        self.place = (field.section, field.key)
        self._field = field
        self._text = text
        self._folder = folder
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The name, the value and the hint of a key."""
        field = self._field
        yield Static(Content(NAMES.get(field.key, field.key)), classes="key")
        if options := _options(field):
            values = [value for _, value in options]
            if self._text and self._text not in values:
                options.append((self._text, self._text))  # from a file: the engine says what is wrong with it
            yield Choice(options, self._text or _default(field) or values[0])
        else:
            yield Input(self._text, placeholder=_default(field), suggester=self._suggester(), compact=True)
        yield Static(Content(""), classes="problem-here")
        yield Static(Content(self.help), classes="hint")

    @property
    def help(self) -> str:
        """What the key means."""
        choices = " ".join(self._field.choices) if self._field.kind == "text" else ""
        return ", ".join(part for part in (choices, self._field.help) if part)

    @property
    def title(self) -> str:
        """Section and key, as in a file."""
        return f"[{self._field.section}] {self._field.key}" if self._field.section else self._field.key

    def show(self, applies: bool, problem: str) -> None:
        """Whether it applies, and what is wrong."""
        if self.display != applies:
            self.display = applies
        if problem != self._problem:
            self._problem = problem
            self.set_class(bool(problem), "-wrong")
            self.query_one(".problem-here", Static).update(Content(problem))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell the form that the value is another."""
        event.stop()
        self._tell(event.value)

    def on_select_changed(self, event: Select.Changed) -> None:
        """Tell the form; the default is told as nothing."""
        event.stop()
        value = str(event.value)
        self._tell("" if value == _default(self._field) else value)

    def _tell(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.post_message(self.Changed(self.place, text))

    def _suggester(self) -> Suggester | None:
        if self._field.kind == "path":
            return PathSuggester(self._folder)
        return SuggestFromList(self._field.choices) if self._field.choices else None


def _options(field: ConfigField) -> list[tuple[str, str]]:
    choices = ("false", "true") if field.kind == "flag" else field.choices if field.kind == "choice" else ()
    return [(choice, choice) for choice in choices]


def _default(field: ConfigField) -> str:
    if field.example or field.default is None:
        return field.example
    return str(field.default).lower() if field.kind == "flag" else str(field.default)
