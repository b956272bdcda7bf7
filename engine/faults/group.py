"""Some of the faults of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.conditions import Condition


@dataclass(frozen=True)
class FaultGroup:
    """All faults of a campaign, or those that have all of what is said here."""

    layer: str | None = None
    bit: int | None = None
    fault_id: int | None = None
    image_id: int | None = None
    """an image that they are critical for"""
    having: tuple[Condition, ...] = ()
    """what else they have"""
