"""Where one is among faults and images, and where the way back leads: from an image to its faults and back again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from engine.faults.group import FaultGroup

if TYPE_CHECKING:
    from engine.conditions import Condition
    from engine.store.read.fault_results import FaultOrder
    from engine.store.read.image_results import ImageOrder

ALL_FAULTS = FaultGroup()
Level = Literal["map", "list", "fault", "confusion"]


@dataclass(frozen=True)
class Place:
    """What every place has; neither the row nor the way back make it another one."""

    words: str = ""
    """of the filter, as they were typed"""
    row: int | None = field(default=None, compare=False, kw_only=True)
    """what the cursor was on when one left: a fault, or an image"""
    before: FaultsPlace | ImagesPlace | None = field(default=None, compare=False, kw_only=True)
    """where esc leads"""


@dataclass(frozen=True)
class FaultsPlace(Place):
    """On the faults screen: the map, the list of a group, one fault, or what its group takes images for."""

    level: Level = "map"
    group: FaultGroup = ALL_FAULTS
    """of the list, or of the confusion of classes; its conditions are those of the filter"""
    fault_id: int | None = None
    order: FaultOrder = "critical"
    """of the list"""
    effect: str | None = None
    """of the faults that the map counts, by its name; None: it counts critical pairs"""

    def filtered(self, words: str, having: tuple[Condition, ...]) -> FaultsPlace:
        """The same list with another filter."""
        return replace(self, words=words, group=replace(self.group, having=having), row=None)


@dataclass(frozen=True)
class ImagesPlace(Place):
    """On the images screen."""

    having: tuple[Condition, ...] = ()
    """the conditions of the filter"""
    order: ImageOrder = "rank"

    def filtered(self, words: str, having: tuple[Condition, ...]) -> ImagesPlace:
        """The same list with another filter."""
        return replace(self, words=words, having=having, row=None)
