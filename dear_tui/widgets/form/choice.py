"""One of a few, on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.widgets import Select

from dear_tui.settings.keymap import with_ids

if TYPE_CHECKING:
    from collections.abc import Sequence


class Choice(Select[str], inherit_bindings=False):
    """One of a few; up and down are left to the form, left and right choose without opening."""

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
    }
    """

    def __init__(self, options: Sequence[tuple[str, str]], value: str) -> None:
        super().__init__(options, value=value, allow_blank=False, compact=True)
        self._values = [one for _, one in options]

    def action_step(self, by: int) -> None:
        """Choose the option before or after the present one."""
        place = self._values.index(cast("str", self.value)) + by
        if 0 <= place < len(self._values):
            self.value = self._values[place]
