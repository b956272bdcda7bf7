"""Conditions that the rows of a list have to meet, so that somebody who looks for some of them sees only these."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


class Kind(Enum):
    """What a condition compares."""

    FLAG = auto()
    """nothing: it holds or it does not"""
    NUMBER = auto()
    """a number with a limit"""
    TEXT = auto()
    """whether a text has another one in it, in capitals or not"""
    CLASS = auto()
    """whether a class is one of some"""


@dataclass(frozen=True)
class Field:
    """Something that the rows of a list can be asked for."""

    name: str
    """as a person types it"""
    kind: Kind
    columns: tuple[str, ...]
    """expressions in SQL, one of which has to meet a condition; of a flag these are conditions"""
    words: str
    """what it is, in a few words; empty where its name says it"""


@dataclass(frozen=True)
class Condition:
    """What one field of a row must be."""

    field: Field
    sign: str = "="
    """of `SIGNS`, for a number"""
    value: float | str | tuple[int, ...] = ()
    """a number, a text, or the numbers of classes"""

    @property
    def sql(self) -> str:
        """The condition for WHERE."""
        texts = [self._sql(column) for column in self.field.columns]
        return texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})"

    def _sql(self, column: str) -> str:
        match self.field.kind:
            case Kind.NUMBER:
                return f"{column} {self.sign} {self.value}"
            case Kind.TEXT:
                text = str(self.value).lower().replace("'", "''")
                return f"contains(lower({column}), '{text}')"
            case Kind.CLASS:
                return f"{column} IN ({', '.join(map(str, self.value))})"  # type: ignore[arg-type]
            case _:
                return column

    def holds(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether it holds for each of n values of its field, [n]; the values of a flag say it themselves."""
        match self.field.kind:
            case Kind.NUMBER:
                return np.asarray(SIGNS[self.sign](values, self.value), np.bool_)
            case Kind.TEXT:
                text = str(self.value).lower()
                return np.array([text in str(value).lower() for value in values], np.bool_)
            case Kind.CLASS:
                return np.isin(values, self.value)
            case _:
                return np.asarray(values, np.bool_)
