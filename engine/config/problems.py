"""What is wrong with a config, in the words of a TOML file: one sentence for each problem."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import BaseModel, ValidationError

WANTED = {
    "tuple_type": "should be a list",
    "model_type": "should be a table",
    "string_type": "should be text in quotes",
    "path_type": "should be a path in quotes",
    "is_instance_of": "should be a path in quotes",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "too_short": "should have at least one item",
    "string_too_short": "should not be empty",
}
"""pydantic's kind of problem -> what the key wants; where there is none, pydantic's own words do"""

LIMITS = {
    "less_than_equal": "should be at most {le}",
    "greater_than_equal": "should be at least {ge}",
    "string_too_long": "should have at most {max_length} characters",
    "too_long": "should have at most {max_length} items",
}
"""the same for kinds that have a limit"""

_MOST_SHOWN = 60
"""characters of a value that is wrong"""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one key; as text `[section] key: what is wrong; the fix`."""

    section: str
    """empty for the keys above all tables"""
    key: str
    """empty where it is the whole table"""
    item: str
    """which item of a list, such as `item 1`: people count from 1"""
    reason: str

    def __str__(self) -> str:
        table = f"[{self.section}] " if self.section else ""
        field = ", ".join(part for part in (f"{table}{self.key}".rstrip(), self.item) if part)
        return f"{field}: {self.reason}" if field else self.reason


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """Every problem of the config that was checked."""
    for problem in error.errors():
        if problem["type"] == "too_short" and problem["input"]:
            continue  # the list is empty only because its items are wrong, which is said already
        yield Problem(*_place(problem["loc"], model), _reason(problem, model))


def _place(location: Sequence[str | int], model: type[BaseModel]) -> tuple[str, str, str]:
    """Section, key and item."""
    section, _, key = ".".join(part for part in location if isinstance(part, str)).partition(".")
    is_table = section in model.model_fields and hasattr(model.model_fields[section].annotation, "model_fields")
    if not key and not is_table:
        section, key = "", section
    item = ", ".join(f"item {part + 1}" for part in location if isinstance(part, int))
    return section, key, item


def _reason(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, location = problem["type"], problem["loc"]
    if kind == "extra_forbidden":
        section = model if len(location) == 1 else model.model_fields[location[0]].annotation
        return f"unknown key; {_spelling(location[-1], section)}"
    if kind == "missing":
        return "missing; add it"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    wanted = WANTED.get(kind) or LIMITS.get(kind, "").format(**problem.get("ctx", {}))
    given = repr(problem["input"])
    if len(given) > _MOST_SHOWN:
        given = f"{given[:_MOST_SHOWN]} ..."
    return f"{wanted or problem['msg'].removeprefix('Input ')}, but is {given}"


def _spelling(key: str, section: Any) -> str:
    """The known key that an unknown one probably stands for."""
    known = [*section.model_fields]
    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else f"remove it, or use one of {', '.join(known)}"
