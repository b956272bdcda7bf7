"""The weight formats there are; a new one is a file beside this and an entry here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from engine.formats.weight_format import WeightFormat

FORMATS: dict[str, WeightFormat] = {
    each.name: each
    for each in (
        FLOAT32,
    )
}  # fmt: skip
"""Name -> format."""


def format_named(name: str) -> WeightFormat:
    """The format of a name that a campaign keeps.

    Raises:
        InputError: this version has no such format.
    """
    if name not in FORMATS:
        raise InputError(f"format {name!r}: this version knows no such weight format; use {', '.join(FORMATS)}")
    return FORMATS[name]
