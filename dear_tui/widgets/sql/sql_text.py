"""The text of a query: colours of the theme, completion while typing, and huge pastes folded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Container
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from dear_tui.query.completion import Completion, complete
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.sql.completion_list import CompletionList

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.store.sql.names import Names

FOLDED_FROM = 16_384
"""characters; a longer paste is kept beside the text, in which every key would take a second"""

PLACE = re.compile(r"(?P<line>LINE (?P<number>\d+): )(?P<cut>\.\.\.)?.*\n(?P<indent> *)\^")
"""DuckDB's excerpt of a wrong line; of a long one it shows the middle"""

_HIGHLIGHT_AFTER = 0.05
"""seconds: loading the highlighter takes nearly as many as the first frame"""

COLOURS = {
    "keyword": "text-primary",
    "keyword.operator": "text-primary",
    "attribute": "text-primary",
    "conditional": "text-primary",
    "function.call": "text-accent",
    "string": "text-success",
    "number": "text-warning",
    "float": "text-warning",
    "boolean": "text-warning",
    "type": "text-secondary",
    "type.builtin": "text-secondary",
}
"""What the highlighter finds -> the theme's variable."""


class SqlText(TextArea):
    """The text itself; tab, enter and the arrows belong to the completions while some are shown."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "sql-text",
        Binding("escape", "leave", "leave", tooltip="out of the editor, so that single letters are keys"),
        Binding("f6", "screen.cancel", "cancel", tooltip="stop the query, the counting, or the export"),
        Binding("ctrl+a", "select_all", "select all", show=False, tooltip="the whole query"),
        Binding("f7", "screen.list_queries", "queries", show=False, tooltip="ready questions and saved queries"),
    )

    class Left(Message):
        """The user is done with the text."""

    class CompletionKey(Message):
        """A key for the completions."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, sql: str) -> None:
        super().__init__(sql, theme="css", soft_wrap=True, show_line_numbers=True)
        self.is_completing = False
        self.is_typing = False
        """whether the change to come is a key's, and not a paste or another query"""
        self._folded: dict[str, str] = {}

    @property
    def query_text(self) -> str:
        """The text with what is folded in its place."""
        text = self.text
        for sign, folded in self._folded.items():
            text = text.replace(sign, folded)
        return text

    def show_query(self, sql: str) -> None:
        """Another query, with the cursor at its end."""
        self._folded.clear()
        self.is_typing = False
        self.replace(self._fold(sql), self.document.start, self.document.end)
        self.move_cursor(self.document.end)

    def go_to_place(self, place: str) -> None:
        """Put the cursor where DuckDB's excerpt, `LINE 2: ...` with a mark below, points to."""
        match = PLACE.match(place)
        if match and not self._folded:
            column = 0 if match["cut"] else len(match["indent"]) - len(match["line"])
            self.move_cursor((int(match["number"]) - 1, max(column, 0)))

    def action_leave(self) -> None:
        """Give the keys back."""
        self.post_message(self.Left())

    def on_mount(self) -> None:
        """Take the theme's colours; the highlighter is loaded after the first frame."""
        self._colour()
        self.watch(self.app, "theme", self._colour, init=False)
        self.move_cursor(self.document.end)
        self.set_timer(_HIGHLIGHT_AFTER, self._highlight)

    def on_resize(self) -> None:
        """Textual wraps the lines anew, and paints them only where there are more of them or fewer."""
        self.refresh()

    def _highlight(self) -> None:
        cursor = self.cursor_location
        self.language = "sql"
        self.move_cursor(cursor)

    def _colour(self) -> None:
        """Take the colours of the app's theme, under its name: the same name again would change nothing."""
        variables = self.app.theme_variables
        styles = {name: Style(color=Color.parse(variables[one]).rich_color.name) for name, one in COLOURS.items()}
        for name in ("keyword", "keyword.operator", "attribute", "conditional"):
            styles[name] += Style(bold=True)
        styles["comment"] = Style(italic=True, dim=True)
        name = f"dear {self.app.theme}"
        self.register_theme(TextAreaTheme(name, syntax_styles=styles))
        self.theme = name

    def on_key(self, event: events.Key) -> None:
        """Completions take their keys; tab goes to the next place for it."""
        if self.is_completing and event.key in ("tab", "enter", "up", "down"):
            event.stop()
            event.prevent_default()
            self.post_message(self.CompletionKey(event.key))
        elif event.key == "tab":
            event.stop()
            event.prevent_default()
            self.insert(" " * (self.indent_width - self.get_column_width(*self.cursor_location) % self.indent_width))
        self.is_typing = event.is_printable or event.key == "backspace"

    def on_paste(self, event: events.Paste) -> None:
        """A long text is folded."""
        event.prevent_default()
        event.stop()
        self.is_typing = False
        result = self.replace(self._fold(event.text), *self.selection)
        self.move_cursor(result.end_location)

    def _fold(self, text: str) -> str:
        """A text, or the sign that stands for it, which SQL takes for a comment."""
        if len(text) <= FOLDED_FROM:
            return text
        sign = f"/* {len(text) // 1000:,} kB, folded, no. {len(self._folded) + 1} */"
        self._folded[sign] = text
        return sign


class SqlEditor(Container):
    """The editor of a query, with completions."""

    DEFAULT_CSS = """
    SqlEditor {
        border: round $foreground 30%; border-title-color: $text-muted; border-subtitle-color: $text-muted;
        &:focus-within { border: round $border; border-title-color: $foreground; }
        SqlText { border: none; padding: 0; background: transparent; &:focus { border: none; } }
    }
    """

    def __init__(self, sql: str) -> None:
        """An editor of this query."""
        super().__init__()
        self.text = SqlText(sql)
        self._completions = CompletionList()
        self._names: Names | None = None
        self._word = 0

    def compose(self) -> ComposeResult:
        """Completions lie over the screen."""
        yield self.text
        yield self._completions

    def know(self, names: Names) -> None:
        """Complete these names from now on."""
        self._names = names

    def insert_name(self, name: str) -> None:
        """Write a name at the cursor, apart from a word before it."""
        row, column = self.text.cursor_location
        before = self.text.document.get_line(row)[:column]
        self.text.is_typing = False
        self.text.insert(f" {name}" if before[-1:].isalnum() or before[-1:] == "_" else name)

    def on_text_area_changed(self) -> None:
        """Offer what the word may become that is being typed."""
        if self.text.is_typing and self.text.has_focus:
            self._offer()
        else:
            self._hide()

    def on_text_area_selection_changed(self) -> None:
        """Moving away from the word closes the list."""
        if self.text.is_completing and self._offers()[0] != self._word:
            self._hide()

    def on_sql_text_completion_key(self, message: SqlText.CompletionKey) -> None:
        """Choose or accept."""
        match message.key:
            case "up":
                self._completions.action_cursor_up()
            case "down":
                self._completions.action_cursor_down()
            case _:
                self._accept()

    def _offers(self) -> tuple[int, list[Completion]]:
        text, (row, column) = self.text.text, self.text.cursor_location
        if self._names is None or len(text) > FOLDED_FROM:
            return 0, []
        lines = text.split("\n")
        before, after = [*lines[:row], lines[row][:column]], [lines[row][column:], *lines[row + 1 :]]
        return complete("\n".join(before), "\n".join(after), self._names)

    def _offer(self) -> None:
        self._word, offers = self._offers()
        self.text.is_completing = bool(offers)
        x, y = self.text.cursor_screen_offset
        self._completions.offer(offers, Offset(x - self._word, y + 1))

    def _hide(self) -> None:
        """Until the next letter."""
        self.text.is_completing = False
        self._completions.display = False

    on_descendant_blur = _hide

    def _accept(self) -> None:
        chosen = self._completions.chosen
        if chosen is not None:
            end = self.text.cursor_location
            self.text.is_typing = False
            self.text.replace(chosen.text, (end[0], end[1] - self._word), end)
        self._hide()
