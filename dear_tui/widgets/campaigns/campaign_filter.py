"""The words that campaigns must match: one line above the list, there only while it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from dear_tui.settings.keymap import with_ids

if TYPE_CHECKING:
    from textual.app import ComposeResult


class _Words(Input):
    """Esc forgets what was typed, enter keeps it."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "words",
        Binding("escape", "forget", "all", tooltip="all campaigns again"),
        Binding("enter,down", "keep", "to the list", tooltip="back to the campaigns that match"),
    )

    def action_forget(self) -> None:
        """Show all campaigns."""
        self.query_ancestor(CampaignFilter).clear()

    def action_keep(self) -> None:
        """Back to the list."""
        self.query_ancestor(CampaignFilter).post_message(CampaignFilter.Left())


class CampaignFilter(Horizontal):
    """Filters as one types."""

    DEFAULT_CSS = """
    CampaignFilter {
        height: 1; padding: 0 1; display: none; background: $surface;
        Static { width: 2; color: $text-accent; text-style: bold; }
        _Words { width: 1fr; background: $surface; }
    }
    """

    class Changed(Message):
        """Other words were typed."""

    class Left(Message):
        """The keys belong to the list again."""

    def compose(self) -> ComposeResult:
        """A sign and the words."""
        yield Static("/")
        yield _Words(placeholder="name, state, network, data set, selection", compact=True)

    @property
    def words(self) -> str:
        """What campaigns must match."""
        return self.query_one(_Words).value.strip()

    def open(self) -> None:
        """Show the line and take the keys."""
        self.display = True
        self.query_one(_Words).focus()

    def clear(self) -> None:
        """No words, and out of the way."""
        self.query_one(_Words).value = ""
        self.display = False
        self.post_message(self.Changed())
        self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        self.post_message(self.Changed())
