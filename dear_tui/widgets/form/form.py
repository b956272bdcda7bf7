"""The fields of the form, scrolled so that the focused one is in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.containers import VerticalScroll
from textual.geometry import Offset

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.widget import Widget


class Form(VerticalScroll, inherit_bindings=False, can_focus=False):
    """Up and down go from field to field; where it has scrolled to hangs on the focused one and the layout alone."""

    def on_mount(self) -> None:
        """Follow the layout: messages come and go above the focused field, too."""
        self.watch(self, "virtual_size", self.keep_focused_in_view, init=False)

    def keep_focused_in_view(self) -> None:
        """The focused field with its message in the middle, once they are laid out."""
        self.call_after_refresh(self._show_focused)

    on_resize = on_descendant_focus = keep_focused_in_view

    def scroll_to_region(self, region: Region, **options: Any) -> Offset:  # noqa: ARG002
        """Textual would scroll as little as it can, from wherever it was: the form sees to it by itself."""
        return Offset()

    def _show_focused(self) -> None:
        row = self._focused_row()
        if row is not None:
            place, room = row.virtual_region, self.scrollable_content_region.height
            middle = place.y - max(room - place.height, 0) // 2
            self.scroll_to(y=middle, animate=False, immediate=True)

    def _focused_row(self) -> Widget | None:
        focused = self.screen.focused
        if focused is None or self not in focused.ancestors:
            return None
        return next(row for row in focused.ancestors_with_self if row.parent is self)  # type: ignore[return-value]
