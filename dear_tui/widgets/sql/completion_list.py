"""The list of completions, under the cursor of the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Offset

    from dear_tui.query.completion import Completion

NAME_WIDTH = 24


class CompletionList(OptionList, can_focus=False):
    """Names with what they are; the editor keeps the focus."""

    DEFAULT_CSS = """
    CompletionList {
        display: none; overlay: screen; constrain: inside inflect; width: auto; max-width: 44; height: auto;
        max-height: 10; padding: 0 1; background: $panel; border: none; scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & > .option-list--option-highlighted { color: $foreground; background: $surface-lighten-2; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._offers: Sequence[Completion] = ()

    @property
    def chosen(self) -> Completion | None:
        """The one under the list's cursor."""
        return None if self.highlighted is None else self._offers[self.highlighted]

    def offer(self, offers: Sequence[Completion], place: Offset) -> None:
        """Show these, the first chosen, at a place of the screen; none hides the list."""
        self._offers = offers
        self.display = bool(offers)
        if offers:
            self.clear_options()
            self.add_options(Option(_line(offer)) for offer in offers)
            self.highlighted = 0
            self.absolute_offset = place
            self.refresh(layout=True)


def _line(offer: Completion) -> Content:
    name = offer.text if len(offer.text) < NAME_WIDTH else offer.text[: NAME_WIDTH - 2] + "…"
    return Content.assemble(name.ljust(NAME_WIDTH), (offer.detail or offer.kind, MUTED))
