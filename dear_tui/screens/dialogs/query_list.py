"""Queries to choose from: saved ones, ready ones, or those of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


@dataclass(frozen=True)
class Entry:
    """A line of the list."""

    sql: str
    name: str = ""
    note: str = ""
    """shown before the name: when it ran, or that it is saved"""
    is_saved: bool = False


@dataclass(frozen=True)
class Chosen:
    """What to do with the query."""

    entry: Entry
    deed: str
    """run, edit or delete"""


LONGEST_LINE = 400
"""characters of a query that are looked at for its one line; it ends where the list does"""


class QueryList(Dialog[Chosen | None]):
    """Names above, the SQL of the chosen one below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close"),
        Binding("enter", "choose('run')", "run"),
        Binding("i", "choose('edit')", "edit"),
        Binding("d", "choose('delete')", "delete"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("j,down", "move('cursor_down')", "down", show=False),
        Binding("k,up", "move('cursor_up')", "up", show=False),
        Binding("g", "move('first')", "first", show=False),
        Binding("G", "move('last')", "last", show=False),
    ]
    DEFAULT_CSS = """
    QueryList {
        align: center middle;
        Vertical {
            width: 100; max-width: 96%; height: 90%; padding: 0 1; border: round $primary; background: $surface;
        }
        Input { border: none; height: 1; padding: 0; background: $panel; display: none; &:focus { border: none; } }
        OptionList {
            height: 3fr; padding: 0; background: transparent; border: none; scrollbar-size-vertical: 1;
            text-wrap: nowrap; text-overflow: ellipsis;
            &:focus { border: none; }
            & > .option-list--option-highlighted {
                color: $foreground; background: $surface-lighten-2; text-style: bold;
            }
        }
        VerticalScroll { height: 2fr; border-top: solid $foreground 30%; padding: 0 1; scrollbar-size-vertical: 1; }
        .nothing { height: 3fr; content-align: center middle; text-align: center; display: none; }
    }
    """

    def __init__(self, title: str, entries: Sequence[Entry], nothing: str) -> None:
        super().__init__()
        self._title, self._entries, self._nothing = title, entries, nothing
        self._shown: list[Entry] = []

    def compose(self) -> ComposeResult:
        """Filter, list, and the query."""
        box = Vertical(
            Input(placeholder="words of the query"),
            OptionList(),
            Static(Content(self._nothing), classes="nothing"),
            VerticalScroll(Static(id="sql"), can_focus=False),
        )
        box.border_title = Content(self._title)
        deletes = "d deletes, " if any(entry.is_saved for entry in self._entries) else ""
        box.border_subtitle = f"enter runs, i edits, {deletes}/ filters, esc closes"
        yield box

    def on_mount(self) -> None:
        """Show all queries."""
        self._show("")
        self.query_one(OptionList).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the queries with all the words."""
        self._show(event.value)

    def on_input_submitted(self) -> None:
        """Enter in the filter runs what is chosen, as it does in the list."""
        self.action_choose("run")

    def on_option_list_option_highlighted(self) -> None:
        """Its SQL below: of the option that is under the cursor now, for a filter may have shortened the list since."""
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.query_one("#sql", Static).update(Content(self._shown[index].sql))

    def on_option_list_option_selected(self) -> None:
        """Enter in the list."""
        self.action_choose("run")

    def action_choose(self, deed: str) -> None:
        """End with the query under the cursor."""
        index = self.query_one(OptionList).highlighted
        if index is not None and (deed != "delete" or self._shown[index].is_saved):
            self.dismiss(Chosen(self._shown[index], deed))

    def action_filter(self) -> None:
        """Write words to look for."""
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def action_close(self) -> None:
        """Out of the filter first."""
        if self.query_one(Input).has_focus:
            self.query_one(OptionList).focus()
        else:
            self.dismiss(None)

    def action_move(self, where: str) -> None:
        """Move the list's cursor."""
        getattr(self.query_one(OptionList), f"action_{where}")()

    def _show(self, words: str) -> None:
        wanted = words.lower().split()
        self._shown = [
            entry for entry in self._entries if all(word in f"{entry.name} {entry.sql}".lower() for word in wanted)
        ]
        nothing = "No query has all these words." if self._entries else self._nothing
        self.query_one(".nothing", Static).update(Content(nothing))
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options(Option(_line(entry)) for entry in self._shown)
        listing.display = bool(self._shown)
        self.query_one(".nothing").display = not self._shown
        if self._shown:
            listing.highlighted = 0
        else:
            self.query_one("#sql", Static).update("")


def _line(entry: Entry) -> Content:
    name = entry.name or " ".join(entry.sql.split())[:LONGEST_LINE]
    return Content.assemble((f"{entry.note}  " if entry.note else "", MUTED), name)
