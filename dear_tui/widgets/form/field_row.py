"""One key of a config: its name in words and in TOML, what is typed or chosen, and what is wrong with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Select, Static

from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.keyed_row import KeyedRow
from dear_tui.widgets.form.choice import Choice
from dear_tui.widgets.form.path_suggester import PathSuggester
from dear_tui.widgets.form.value_suggester import ValueSuggester, split_last

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult
    from textual.suggester import Suggester

    from engine.config.fields import ConfigField


class FieldRow(KeyedRow):
    """A key, with its problem on a line of its own below it; a key that does not apply is not shown."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "field-row", Binding("f4", "pick", "values", tooltip="choose one of the values that are known")
    )
    DEFAULT_CSS = """
    FieldRow {
        height: auto; display: none; layout: vertical;
        .line { height: 1; }
        .key { width: 20; }
        .toml { width: 15; color: $foreground-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        Input, Select { width: 1fr; max-width: 50; }
        .more { width: 2; display: none; color: $foreground-muted; &.-known { display: block; } }
        .problem-here { padding-left: 4; color: $text-error; display: none; }
        &.-wrong .problem-here { display: block; }
        .hint { width: 2fr; padding-left: 2; color: $foreground-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        .hint { display: none; }
    }
    """

    class Changed(Message):
        """Something else is typed or chosen."""

        def __init__(self, row: FieldRow, text: str) -> None:
            super().__init__()
            self.row = row
            self.place = row.place
            self.text = text

    class Picked(Message):
        """The known values are asked for: value -> what it means, which may be nothing."""

        def __init__(self, row: FieldRow, values: Mapping[str, str]) -> None:
            super().__init__()
            self.row = row
            self.values = values

    def __init__(
        self,
        field: ConfigField,
        text: str,
        folder: Callable[[], Path],
        known: Callable[[ConfigField], Sequence[str]],
    ) -> None:
        """`folder` is where relative paths start, `known` tells the values that are known now of a text."""
        super().__init__()
        self.place = (field.section, field.key)
        self._field = field
        self._text = text
        self._folder = folder
        self._known = partial(known, field)
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The names, the value and the hint of a key; what is wrong below."""
        field = self._field
        with Horizontal(classes="line"):
            yield Static(Content(field.label), classes="key")
            yield Static(Content(field.key), classes="toml")
            if options := _options(field):
                values = [value for _, value in options]
                if self._text and self._text not in values:
                    options.append((self._text, self._text))  # from a file: the engine says what is wrong with it
                yield Choice(options, self._text or _default(field) or values[0], field.meanings)
            else:
                yield Input(self._text, placeholder=_default(field), suggester=self._suggester(), compact=True)
                yield Static("▼", classes="more")
            yield Static(Content(self.hint), classes="hint")
        yield Static(Content(""), classes="problem-here")

    @property
    def help(self) -> str:
        """What the key means, and what its value does."""
        meaning = self._field.meanings.get(self._value)
        return f"{self._field.help}\n{self._value}: {meaning}" if meaning else self._field.help

    @property
    def hint(self) -> str:
        """What the value does, or else what the key means."""
        return self._field.meanings.get(self._value) or self._field.help

    @property
    def label(self) -> str:
        """What the key is called."""
        return self._field.label

    @property
    def title(self) -> str:
        """Section and key, as in a file."""
        return f"[{self._field.section}] {self._field.key}" if self._field.section else self._field.key

    @property
    def _value(self) -> str:
        return self._text or _default(self._field)

    def show(self, applies: bool, problem: str) -> None:
        """Whether it applies, and what is wrong."""
        if self.display != applies:
            self.display = applies
        if problem != self._problem:
            self._problem = problem
            self.set_class(bool(problem), "-wrong")
            self.query_one(".problem-here", Static).update(Content(problem))
        self.show_known()

    def show_known(self) -> None:
        """Mark it where there are values to choose from."""
        for more in self.query(".more"):
            more.set_class(bool(self._known()), "-known")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to choose where values are known, and a choice opens by itself."""
        if action == "pick":
            return bool(self.query(Input)) and bool(self._known())
        return super().check_action(action, parameters)

    def action_pick(self) -> None:
        """Ask for the list of known values."""
        meanings = self._field.meanings
        self.post_message(self.Picked(self, {value: meanings.get(value, "") for value in self._known()}))

    def take(self, value: str) -> None:
        """Fill in a known value, into a list as its last item."""
        field = self.query_one(Input)
        before = ""
        if self._field.is_list and field.value.strip():
            before, last = split_last(field.value)
            if last in self._known():
                before = f"{before}{last}, "
        field.value = before + value
        field.cursor_position = len(field.value)

    def on_click(self, event: events.Click) -> None:
        """The arrow lists the known values."""
        if event.widget is not None and event.widget.has_class("more"):
            self.query_one(Input).focus()
            self.action_pick()

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
            self.query_one(".hint", Static).update(Content(self.hint))
            self.post_message(self.Changed(self, text))

    def _suggester(self) -> Suggester:
        if self._field.kind == "path":
            return PathSuggester(self._folder)
        return ValueSuggester(self._known, self._field.is_list)


def _options(field: ConfigField) -> list[tuple[str, str]]:
    choices = ("false", "true") if field.kind == "flag" else field.choices if field.kind == "choice" else ()
    return [(choice, choice) for choice in choices]


def _default(field: ConfigField) -> str:
    if field.example or field.default is None:
        return field.example
    return str(field.default).lower() if field.kind == "flag" else str(field.default)
