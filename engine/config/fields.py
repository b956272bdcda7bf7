"""The keys of a config as a form offers them: derived from the models that check it, so that both know the same."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from engine.config.campaign_config import (
    MOBILENET,
    NETWORKS,
    OPTION_SELECTS,
    SCREENING,
    CampaignConfig,
    is_factory,
    is_own,
    reads_features,
    screens,
)
from engine.config.torchvision_names import TORCHVISION
from engine.config.words import CHOICES, LABELS
from engine.faults.designs.design import OPTIONS
from engine.faults.designs.registry import LIST, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

FieldKind = Literal["text", "whole", "number", "flag", "choice", "path"]

_SUGGESTED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("model", "arch"): (*NETWORKS, *(f"torchvision:{name}" for name in TORCHVISION)),
    ("workload", "metric"): tuple(CHOICES["workload", "metric"]),
    ("run", "device"): tuple(CHOICES["run", "device"]),
}
"""place -> values of a text that are known beforehand; others may be typed"""

_KINDS: Mapping[object, FieldKind] = {str: "text", int: "whole", float: "number", bool: "flag", Path: "path"}


@dataclass(frozen=True)
class ConfigField:
    """One key of a config, with what a form needs to know of it."""

    section: str
    """empty for the keys above all tables"""
    key: str
    label: str
    """what it is called in words"""
    kind: FieldKind
    """of the items where it is a list"""
    is_list: bool
    choices: tuple[str, ...]
    """all there are for a choice; for a text, those to suggest"""
    default: Any
    """None where there is none"""
    example: str
    """how the default is written, where that is not how it is kept"""
    help: str
    meanings: Mapping[str, str] = field(default_factory=dict)
    """choice -> what choosing it means, where there is something to say"""


def config_fields() -> tuple[ConfigField, ...]:
    """Every key of a config, in the order in which they are checked."""
    return tuple(_fields("", CampaignConfig))


def applies(section: str, key: str, tables: Mapping[str, Any]) -> bool:
    """Whether a key has an effect beside the others, which may be wrong or missing."""

    def chosen(table: str, name: str) -> object:
        values = tables.get(table, {})
        return values.get(name, CampaignConfig.model_fields[table].annotation.model_fields[name].default)  # type: ignore[union-attr]

    match section, key:
        case "model", "width":
            return chosen("model", "arch") == MOBILENET
        case "model", "path":
            return is_factory(str(chosen("model", "arch")))
        case "faults", "list":
            return chosen("faults", "sampling") == LIST
        case "faults", option if option in OPTIONS:
            return option in options_of(str(chosen("faults", "sampling")))
        case "faults", "population":
            return chosen("faults", "model") == "bit_flip"
        case "workload", "path":
            return is_own(chosen("workload", "metric"))
        case "workload", "layer":
            return reads_features(chosen("workload", "metric"))
        case "workload", option if option in OPTION_SELECTS:
            return chosen("workload", "select") in OPTION_SELECTS[option]
        case "run", option if option in SCREENING:
            return screens(chosen("run", "method"))
        case "run", "precision":
            return chosen("faults", "sampling") != LIST
        case "run", "precision_of":
            return chosen("faults", "sampling") != LIST and chosen("run", "precision") is not None
    return True


def _fields(section: str, model: type[BaseModel]) -> Iterator[ConfigField]:
    for key, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _fields(key, info.annotation)
        else:
            yield _field(section, key, info)


def _field(section: str, key: str, info: FieldInfo) -> ConfigField:
    kind, is_list, choices = _kind(info.annotation)
    return ConfigField(
        section=section,
        key=key,
        label=LABELS[section, key],
        kind=kind,
        is_list=is_list,
        choices=_SUGGESTED.get((section, key), choices),
        default=None if info.is_required() else info.default,
        example=str(info.examples[0]) if info.examples else "",
        help=" ".join((info.description or "").split()),
        meanings=CHOICES.get((section, key), {}),
    )


def _kind(annotation: Any) -> tuple[FieldKind, bool, tuple[str, ...]]:
    """Kind of the items, whether it is a list, and the choices there are."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _kind(arguments[0])
        case origin if origin in (Union, types.UnionType):  # with None
            return _kind(arguments[0])
        case origin if origin is tuple:
            kind, _, choices = _kind(arguments[0])
            return kind, True, choices
        case origin if origin is Literal:
            return "choice", False, arguments
        case _:
            return _KINDS[annotation], False, ()
