"""Every action of the moment with its keys: what the help lists and the palette runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from textual.binding import Binding
    from textual.dom import DOMNode
    from textual.screen import Screen


@runtime_checkable
class Explains(Protocol):
    """A part of the screen that says why a key of it does nothing now."""

    def why_not(self, action: str) -> str:
        """One sentence about a binding's action; empty where there is nothing to say."""


@dataclass(frozen=True)
class Action:
    """What some keys do right now."""

    keys: tuple[str, ...]
    name: str
    explanation: str
    command: str
    node: DOMNode
    """whose action it is"""


def actions_of(screen: Screen[Any]) -> list[Action]:
    """The actions that the focused widget, the screen and the app offer, the keys of one action together.

    Only bindings with a tooltip are ours to explain; what else Textual's widgets bind stays unlisted.
    """
    bindings: dict[tuple[DOMNode, str], list[Binding]] = {}
    for node, binding, enabled, _tooltip in screen.active_bindings.values():
        if enabled:
            bindings.setdefault(_owned(node, binding.action, screen), []).append(binding)
    actions = []
    for (node, command), same in bindings.items():
        same.sort(key=lambda binding: (not binding.tooltip, binding.priority))  # the key that one would learn first
        named = same[0]
        if named.tooltip:
            keys = tuple(screen.app.get_key_display(binding) for binding in same)
            actions.append(Action(keys, named.description, named.tooltip, command, node))
    return actions


def _owned(node: DOMNode, command: str, screen: Screen[object]) -> tuple[DOMNode, str]:
    """Whose action it is: a widget's key may be one for the screen, `screen.edit`, or for the app."""
    owner, dot, action = command.partition(".")
    owners: dict[str, DOMNode] = {"screen": screen, "app": screen.app}
    return (owners[owner], action) if dot and owner in owners else (node, command)
