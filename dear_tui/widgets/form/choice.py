"""One of a few, on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Select

from dear_tui.settings.keymap import with_ids
from dear_tui.terminal.textual_private import SelectCurrent, SelectOverlay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

GAP = "  "


class ChoiceList(SelectOverlay):
    """The list of an open choice; its keys are named in this program's words."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "choice-list",
        Binding("enter", "select", "choose", tooltip="take the one under the cursor"),
        Binding("escape", "dismiss", "close", tooltip="leave it as it was"),
    )


class Choice(Select[str], inherit_bindings=False):
    """One of a few; up and down are left to the form, left and right choose without opening.

    Open, it shows beside each value what it means, as wide as that takes.
    """

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "choice",
        Binding("enter,space", "show_overlay", "choose", tooltip="open the choices"),
        Binding("right", "step(1)", "next", show=False, tooltip="the next choice"),
        Binding("left", "step(-1)", "previous", show=False, tooltip="the choice before"),
    )

    DEFAULT_CSS = """
    Choice {
        & > SelectCurrent { background: $surface; }
        &:focus > SelectCurrent { border: none; background: $surface-lighten-1; #label { text-style: reverse; } }
        &.-explained > SelectOverlay { width: auto; max-width: 96vw; constrain: inside inside; }
    }
    """

    def __init__(
        self, options: Sequence[tuple[str, str]], value: str, meanings: Mapping[str, str] | None = None
    ) -> None:
        """A choice of (what is shown, value); `meanings` says of values what choosing them means."""
        self._names = {one: name for name, one in options}
        meanings = meanings or {}
        width = max(map(len, self._names.values()))
        prompts = [(_explained(name, meanings.get(one, ""), width), one) for name, one in options]
        super().__init__(prompts, value=value, allow_blank=False, compact=True)
        self._values = [one for _, one in options]
        self.set_class(bool(meanings), "-explained")

    def compose(self) -> ComposeResult:
        """What is chosen, and the list."""
        yield SelectCurrent(self.prompt)
        yield ChoiceList().data_bind(compact=Select.compact)

    def watch_value(self, value: str) -> None:
        """Closed, it shows the value alone."""
        for current in self.query(SelectCurrent):
            current.update(Text(self._names[value]))

    def action_step(self, by: int) -> None:
        """Choose the option before or after the present one."""
        place = self._values.index(cast("str", self.value)) + by
        if 0 <= place < len(self._values):
            self.value = self._values[place]


def _explained(name: str, meaning: str, width: int) -> Text:
    return Text.assemble(name.ljust(width), (f"{GAP}{meaning}", "dim")) if meaning else Text(name)
