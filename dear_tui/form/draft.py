"""A config as it is typed: a text for each key, and the tables that the texts stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from engine.config.fields import ConfigField

Place = tuple[str, str]
"""section and key"""


@dataclass
class Draft:
    """What is typed; an empty text is the default."""

    folder: Path
    """where relative paths start"""
    texts: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Mapping[str, Any], fields: Iterable[ConfigField], folder: Path) -> Draft:
        """The texts of a config's tables; a value that is the default is left empty."""
        draft = cls(folder)
        for one in fields:
            table = tables.get(one.section, {}) if one.section else tables
            value = table.get(one.key) if isinstance(table, dict) else None
            if value is not None and value != one.default:
                draft.texts[one.section, one.key] = to_text(value)
        return draft

    def tables(self, fields: Iterable[ConfigField]) -> dict[str, Any]:
        """The tables of the config, with what was typed where it is no value; the engine says what is wrong."""
        tables: dict[str, Any] = {}
        for one in fields:
            value = to_value(self.texts.get((one.section, one.key), ""), one)
            if value is not None:
                table = tables.setdefault(one.section, {}) if one.section else tables
                table[one.key] = value
        return tables


def to_text(value: object) -> str:
    """The value as it is typed."""
    if isinstance(value, list | tuple):
        return ", ".join(map(to_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def to_value(text: str, one: ConfigField) -> object:
    """The value of a text, the text itself where it is none; None for an empty one."""
    text = text.strip()
    if not text:
        return None
    if one.is_list:
        return [_item(item.strip(), one.kind) for item in text.split(",") if item.strip()]
    return _item(text, one.kind)


def _item(text: str, kind: str) -> object:
    try:
        match kind:
            case "whole":
                return int(text)
            case "number":
                return float(text)
            case "flag":
                return {"true": True, "false": False}[text]
    except (ValueError, KeyError):
        pass
    return text
