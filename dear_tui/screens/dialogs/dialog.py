"""What leaves and answers does so once, however many keys and clicks came together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, ScreenResultType

if TYPE_CHECKING:
    from textual import events
    from textual.screen import Screen

    AnyScreen = Screen[Any]
else:
    AnyScreen = object
    """Textual takes bindings and styles from the first base that is a node, so that this one must be none."""


class AnswersOnce(AnyScreen):
    """A screen that is dismissed once.

    Textual takes the uppermost screen away at every `dismiss`, whichever it is. The terminal sends keys in bunches: the
    second one still reaches a dialog that the first has closed, and would close the screen below it.
    """

    _is_answered = False
    """whether `dismiss` was called; later calls change nothing"""
    _kept_answer: tuple[Any] | None = None
    """the answer of a screen that was covered when it gave it"""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Answer and leave: the first time, and once no other screen lies above this one."""
        if not self._is_answered:
            self._is_answered = True
            if self.app.screen_stack[-1] is self:  # `is_current` holds below a dialog, too
                return super().dismiss(result)
            self._kept_answer = (result,)
        return AwaitComplete()

    def on_screen_resume(self, _event: events.ScreenResume) -> None:
        """Leave now, where the answer was given while another screen lay above."""
        if self._kept_answer is not None:
            (result,), self._kept_answer = self._kept_answer, None
            super().dismiss(result)


class Dialog(AnswersOnce, ModalScreen[ScreenResultType]):
    """A screen that lies over another one."""

    def action_scroll_to(self, where: str) -> None:
        """A line "down" or "up", "home" or the "end" of what may be longer than the terminal."""
        getattr(self.query_one(VerticalScroll), f"scroll_{where}")(animate=False)


class Palette(AnswersOnce, CommandPalette):
    """Textual's list of all actions, which two keys in one read would close twice.

    It has no id, which Textual's has: one that is opened while the last one is still closing would have the same.
    """
