"""Actions have ids, by which the user's config gives them other keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import combinations
from typing import TYPE_CHECKING, cast

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, Keys, key_to_character
from textual.screen import ModalScreen

from dear_tui.terminal.textual_private import bindings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.binding import BindingType

PACKAGE = "dear_tui."
NUMBERS = re.compile(r"\(.*\d")
MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}


@dataclass(frozen=True)
class BoundAction:
    """An action that the user can give other keys."""

    id: str
    keys: str
    """as a config writes them: `j` or `f,ctrl+o`"""
    name: str
    explanation: str


def with_ids(prefix: str, *bindings: BindingType) -> list[BindingType]:
    """Give every binding that a user should know (it has a tooltip) an id: the prefix and its action.

    Where the action takes numbers its description says more, and tells `down` from `up`. A binding whose code gives it
    an `id` keeps that one.
    """
    return [
        replace(one, id=f"{prefix}.{_kebab(_deed(one))}") if isinstance(one, Binding) and one.tooltip and not one.id
        else one
        for one in bindings
    ]  # fmt: skip


def _deed(binding: Binding) -> str:
    return binding.description if NUMBERS.search(binding.action) else binding.action


def bound_actions() -> list[BoundAction]:
    """Every action of every screen that is imported, in the order of the code, the app's own first."""
    bindings: dict[str, list[Binding]] = {}
    for node in sorted(_own_nodes(DOMNode), key=lambda node: not issubclass(node, App)):
        for binding in cast("list[Binding]", node.__dict__.get("BINDINGS", [])):
            if binding.id:
                bindings.setdefault(binding.id, []).append(binding)
    return [
        BoundAction(name, ",".join(binding.key for binding in same), same[0].description, same[0].tooltip)
        for name, same in bindings.items()
    ]


def keymap_problems(keymap: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the user's keys, a sentence each: `ID: what; the mend`."""
    known = [action.id for action in bound_actions()]
    usable = {}
    for name, keys in keymap.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            mend = f"did you mean {close[0]}?" if close else "dear-tui keys lists the actions"
            yield f"{name}: there is no such action; {mend}"
            continue
        wrong = [key for key in map(str.strip, keys.split(",")) if not _is_key(key)]
        if wrong:
            yield f"{name}: {wrong[0]!r} is no key; write one such as x, ctrl+x, f7 or question_mark"
        else:
            usable[name] = {_long_name(key.strip()) for key in keys.split(",")}
    yield from _clashes(usable)


def _own_nodes(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    """The classes of this package, each once."""
    seen: dict[type[DOMNode], None] = {}
    waiting = [base]
    while waiting:
        node = waiting.pop(0)
        waiting += node.__subclasses__()
        if node.__module__.startswith(PACKAGE):
            seen[node] = None
    return iter(seen)


def _kebab(name: str) -> str:
    """`toggle_class('MASKED')` -> `toggle-class-masked`"""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+") if key != "+" else [key]
    named = last in {one.value for one in Keys} or key_to_character(REPLACED_KEYS.get(last, last)) is not None
    return bool(last) and named and MODIFIERS.issuperset(modifiers)


def _long_name(key: str) -> str:
    """As Textual calls it: `?` is `question_mark`."""
    return next(iter(Binding.make_bindings([(key, "", "")]))).key if key != "," else "comma"


@dataclass(frozen=True)
class _Claim:
    """An action's use of a key in one kind of node."""

    key: str
    action: str
    said: str
    changed: bool
    """by the user"""


def _clashes(keymap: Mapping[str, set[str]]) -> Iterator[str]:
    """A key that two actions want in one place, where the user gave it to one of them.

    Textual's own hook, `handle_bindings_clash`, would tell at a key press, of one kind of node alone, and nothing of a
    key that the user took from an action whose key was not changed; so clashes are sought when the config is read.
    """
    nodes = list(_own_nodes(DOMNode))
    everywhere = [claim for node in nodes if issubclass(node, App) for claim in _claims(node, keymap)]
    told = set()
    for node in nodes:
        beside = [] if issubclass(node, (App, ModalScreen)) else everywhere
        claims = [*_claims(node, keymap), *beside]
        for one, other in combinations(claims, 2):
            if one.key == other.key and one.action != other.action and (one.changed or other.changed):
                mine, theirs = (one, other) if one.changed else (other, one)
                if (mine.said, theirs.said) not in told:
                    told |= {(mine.said, theirs.said), (theirs.said, mine.said)}
                    yield f"{mine.said}: the key {mine.key} is that of {theirs.said}; choose another"


def _claims(node: type[DOMNode], keymap: Mapping[str, set[str]]) -> Iterator[_Claim]:
    bindings = bindings_of(node)
    for key, binding in bindings:
        said = binding.id or f"{binding.description or binding.action} ({node.__name__})"
        if binding.id not in keymap:
            yield _Claim(key, binding.action, said, changed=False)
    defaults = {binding.id: binding for _key, binding in bindings if binding.id in keymap}
    for name, binding in defaults.items():
        before = {key for key, bound in bindings if bound.id == name}
        for key in keymap[cast("str", name)]:
            yield _Claim(key, binding.action, cast("str", name), changed=key not in before)
