"""Ready questions, in SQL, about the chosen campaign and the one it is compared with."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class NamedQuery:
    """A query to choose from a list."""

    name: str
    sql: str


def questions(campaign: int, other: int | None) -> list[NamedQuery]:
    """All of them; comparisons only where there is something to compare with."""
    text = resources.files("dear_tui.query").joinpath("questions.toml").read_text(encoding="utf-8")
    ready = [NamedQuery(entry["name"], entry["sql"].strip()) for entry in tomllib.loads(text)["question"]]
    return [
        NamedQuery(_filled(question.name, campaign, other), _filled(question.sql, campaign, other))
        for question in ready
        if other is not None or "{other}" not in question.sql
    ]


def _filled(text: str, campaign: int, other: int | None) -> str:
    return text.replace("{campaign}", str(campaign)).replace("{other}", str(other))
