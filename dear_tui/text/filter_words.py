"""What a person types to filter a list: words, each a condition, and all of them hold."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from engine.conditions import Condition, Field, Kind
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARISON = re.compile(r"(\w+)(>=|<=|>|<|=)(.*)")
SYNTAX = {Kind.NUMBER: "{name}>2", Kind.TEXT: "{name}=part", Kind.CLASS: "{name}=3", Kind.FLAG: "{name}"}


def example_of(field: Field) -> str:
    """How a condition on a field is written."""
    return SYNTAX[field.kind].format(name=field.name)


def conditions_of(words: str, fields: Sequence[Field], class_names: Sequence[str] = ()) -> tuple[Condition, ...]:
    """The conditions that some words stand for: `bit=30`, `cost>1`, `lost`, or a part of a name.

    Args:
        words: with blanks between them.
        fields: what the list can be filtered by; a word alone that is none of them is sought in the first one that is
            a text or a class.
        class_names: of the data set, where classes have names.

    Raises:
        InputError: a word is no condition; the sentence says how one is written.
    """
    return tuple(_condition(word, fields, class_names) for word in words.split())


def _condition(word: str, fields: Sequence[Field], class_names: Sequence[str]) -> Condition:
    match = COMPARISON.fullmatch(word)
    name, sign, value = match.groups() if match else (word, "", word)
    field = next((field for field in fields if field.name == name.lower()), None)
    if match is None and (field is None or field.kind is not Kind.FLAG):
        if field is not None:
            raise _unclear(field)
        field = next(field for field in fields if field.kind in (Kind.TEXT, Kind.CLASS))
        sign = "="
    if field is None:
        names = ", ".join(field.name for field in fields)
        raise InputError(f"{name}: there is nothing of this name here; write one of {names}")
    if not value or (field.kind is Kind.FLAG and sign) or (field.kind in (Kind.TEXT, Kind.CLASS) and sign != "="):
        raise _unclear(field)
    match field.kind:
        case Kind.NUMBER:
            return Condition(field, sign, _number(field, value))
        case Kind.TEXT:
            return Condition(field, value=value)
        case Kind.CLASS:
            return Condition(field, value=_classes(value, class_names))
        case _:
            return Condition(field)


def _unclear(field: Field) -> InputError:
    return InputError(f"{field.name}: write it as {example_of(field)} ({field.words})")


def _number(field: Field, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _unclear(field) from None
    if not math.isfinite(number):
        raise _unclear(field)
    return number


def _classes(text: str, class_names: Sequence[str]) -> tuple[int, ...]:
    """The classes that a text names: one by its number, or all that have it in their name."""
    if text.isdecimal():
        return (int(text),)
    found = tuple(number for number, name in enumerate(class_names) if text.lower() in name.lower())
    if not found:
        known = f"such as {class_names[0]}" if class_names else "which are numbers here"
        raise InputError(f"{text}: no class has this in its name; write one of the classes, {known}")
    return found
