"""Actions of screens that are not in front: the palette goes to the screen, then does it, or says what is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.widget import Widget

from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.registry import SCREENS
from dear_tui.terminal.textual_private import is_possible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.app import App
    from textual.dom import DOMNode
    from textual.timer import Timer

    from dear_tui.screens.registry import ScreenInfo

LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 2.0
"""how long a screen that was gone to may take to show what the action is of"""


@dataclass(frozen=True)
class ElsewhereAction:
    """A key of a screen, or of a part of it."""

    where: ScreenInfo
    owner: type[DOMNode]
    binding: Binding

    @property
    def name(self) -> str:
        """The screen's, and the action's."""
        return f"{self.where.title}: {self.binding.description}"

    async def go_and_do(self, app: App[str]) -> None:
        """Go to the screen; do it as soon as that is possible there."""
        await app.switch_mode(self.where.name)
        _Attempt(self, app).start()


def actions_elsewhere(mode: str, keys: Mapping[str, str]) -> Iterator[ElsewhereAction]:
    """What the screens other than the one of this mode can do, each name once; `keys` are the user's own, by id."""
    for where in SCREENS:
        names = set()
        for owner in (where.screen, *where.parts) if where.name != mode else ():
            for binding in _bindings(owner):
                if binding.tooltip and binding.description not in names:
                    names.add(binding.description)
                    key = keys.get(binding.id or "", binding.key).split(",")[0]
                    yield ElsewhereAction(where, owner, replace(binding, key=key))


def _bindings(owner: type[DOMNode]) -> Iterator[Binding]:
    """Its own ones, and those that it inherits, but for what every screen can do."""
    for kind in takewhile(lambda kind: kind is not SnapshotScreen, owner.__mro__):
        yield from Binding.make_bindings(kind.__dict__.get("BINDINGS", ()))


class _Attempt:
    """Looks again and again for the part, which a screen that is opened for the first time has yet to fill."""

    def __init__(self, action: ElsewhereAction, app: App[str]) -> None:
        self._action = action
        self._app = app
        self._since = time.monotonic()
        self._timer: Timer | None = None

    def start(self) -> None:
        """Look from now on."""
        self._timer = self._app.set_interval(LOOK_SECONDS, self._look)

    async def _look(self) -> None:
        node, command = self._node(), self._action.binding.action
        is_late = time.monotonic() - self._since > PATIENCE_SECONDS
        if self._timer is None or not (is_late or (node and is_possible(self._app, command, node))):
            return
        self._timer.stop()
        self._timer = None
        if isinstance(node, Widget) and node.can_focus:
            node.focus(scroll_visible=False)
        if node is None or not await self._app.run_action(command, node):
            self._app.notify(f"{self._action.name}: there is nothing to do it with now", severity="warning")

    def _node(self) -> DOMNode | None:
        """The screen, or the first of its parts that is shown."""
        screen, owner = self._app.screen, self._action.owner
        parts = [screen, *(part for part in screen.query("*") if part.is_on_screen)]
        return next((part for part in parts if isinstance(part, owner)), None)
