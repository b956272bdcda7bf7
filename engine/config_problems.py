"""What is wrong with a config, in the words of a TOML file: one sentence for each problem."""

from __future__ import annotations

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


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """Every problem as `[section] key: what is wrong; the mend`."""
    for problem in error.errors():
        if problem["type"] == "too_short" and problem["input"]:
            continue  # the list is empty only because its items are wrong, which is said already
        field = _field(problem["loc"], model)
        yield f"{field}: {_reason(problem, model)}" if field else _reason(problem, model)


def _field(location: Sequence[str | int], model: type[BaseModel]) -> str:
    """`name`, `[faults]`, `[faults] bits[0]`"""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)[1:]
    section, _, key = path.partition(".")
    is_section = section in model.model_fields and section not in _plain_keys(model)
    return f"[{section}] {key}".rstrip() if is_section or key else section


def _reason(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, location = problem["type"], problem["loc"]
    if kind == "extra_forbidden":
        section = model if len(location) == 1 else model.model_fields[location[0]].annotation
        return f"unknown key; {_spelling(location[-1], section)}"
    if kind == "missing":
        return "missing; add it"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    wanted = WANTED.get(kind) or problem["msg"].removeprefix("Input ")
    return f"{wanted}, but is {problem['input']!r}"


def _spelling(key: str, section: Any) -> str:
    """The known key that an unknown one probably stands for."""
    known = [*section.model_fields]
    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else f"remove it, or use one of {', '.join(known)}"


def _plain_keys(model: type[BaseModel]) -> set[str]:
    """Keys that stand above all tables."""
    return {name for name, field in model.model_fields.items() if not hasattr(field.annotation, "model_fields")}
