"""The words that the rows of a list must meet: a line above the list, there while it is used, and what can be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from dear_tui.settings.keymap import with_ids
from dear_tui.text.filter_words import example_of
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from engine.conditions import Field


class FilterWords(Input):
    """Esc takes the filter away, enter keeps it."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "filter-words",
        Binding("escape", "forget", "all", tooltip="no filter: all rows again"),
        Binding("enter,down", "keep", "to the list", tooltip="to the rows left, or to the one of a number"),
    )

    def action_forget(self) -> None:
        """Show all rows."""
        self.query_ancestor(FilterLine).forget()

    def action_keep(self) -> None:
        """Back to the list."""
        line = self.query_ancestor(FilterLine)
        line.post_message(FilterLine.Kept(line.words))


class FilterLine(Vertical):
    """Filters as one types; what was typed stays in view as long as it filters."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto; padding: 0 1; display: none;
        Horizontal { height: 1; background: $surface; }
        .sign { width: 2; color: $text-accent; text-style: bold; }
        FilterWords { width: 1fr; background: $surface; }
        .help { height: auto; display: none; }
    }
    """

    class Changed(Message):
        """Other words were typed."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Kept(Changed):
        """The keys belong to the list again."""

    class Forgotten(Message):
        """There is no filter any more, and the keys belong to the list again."""

    def __init__(self, example: str) -> None:
        super().__init__()
        self._example = example
        self._help = Content("")

    def compose(self) -> ComposeResult:
        """A sign, the words, and what can be typed or what is wrong with it."""
        with Horizontal():
            yield Static("/", classes="sign")
            yield FilterWords(placeholder=self._example, compact=True)
        yield Static(Content(""), classes="help")

    @property
    def words(self) -> str:
        """What was typed."""
        return self.query_one(FilterWords).value.strip()

    @property
    def is_typing(self) -> bool:
        """Whether the keys belong to this line."""
        return self.query_one(FilterWords).has_focus

    def open(self, fields: Sequence[Field]) -> None:
        """Take the keys, and say what the rows can be filtered by."""
        texts = [
            Content.assemble((example_of(field), "bold"), (f" {field.words}", MUTED)) for field in fields if field.words
        ]
        end = Content.styled("several words: all of them hold; a number and enter: the row of this id", MUTED)
        self._help = Content("   ").join([*texts, end])
        self.tell("")
        self.display = True
        self.query_one(FilterWords).focus()

    def tell(self, problem: str) -> None:
        """Say what is wrong with the words; where nothing is, what can be typed."""
        self.query_one(".help", Static).update(Content.styled(problem, "$text-error") if problem else self._help)

    def on_descendant_focus(self) -> None:
        """Say what can be typed."""
        self.query_one(".help").display = True

    def on_descendant_blur(self) -> None:
        """Leave the room to the list."""
        self.query_one(".help").display = False

    def show(self, words: str) -> None:
        """Show the words of the list that is in view, unless other ones are being typed."""
        if not self.is_typing:
            with self.prevent(Input.Changed):
                self.query_one(FilterWords).value = words
            self.display = bool(words)

    def forget(self) -> None:
        """No words, and out of the way."""
        with self.prevent(Input.Changed):
            self.query_one(FilterWords).value = ""
        self.display = False
        self.post_message(self.Forgotten())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        self.post_message(self.Changed(self.words))
