"""What is asked of a planner and what it answers, a line of JSON each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

ReportKind = Literal["step", "material", "images", "estimate", "submitted", "error"]


@dataclass(frozen=True)
class _Line:
    """What one process tells the other, as JSON."""

    def to_line(self) -> str:
        """What is told, as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Self:
        """As it was told."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class Order(_Line):
    """A config, and what to do with it."""

    tables: dict[str, Any]
    folder: str
    """where its relative paths start"""
    store: str = ""
    """where to submit it; empty: estimate it"""
    again: bool = False
    """submit it as a new campaign in any case"""


@dataclass(frozen=True)
class Report(_Line):
    """One thing that the planner has found out."""

    kind: ReportKind
    value: Any
    """step, error: a text; material: layers, images and what is injected; images: how many are run; estimate: its
    fields; submitted: the campaign's id and what the list does not show of it"""
