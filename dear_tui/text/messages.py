"""What threads tell the app and its screens, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dear_tui.access.live_details import LiveDetails
    from dear_tui.access.store_location import Snapshot
    from dear_tui.widgets.faults.fault_map_picture import HeatGrid
    from engine.store import QueueView
    from engine.store.read.fault_results import FaultFindings


class Newest(Message):
    """Something was read that takes the place of an earlier reading which is not handled yet."""

    def can_replace(self, message: Message) -> bool:
        """One of the same kind."""
        return isinstance(message, type(self))


@dataclass
class SnapshotRead(Newest):
    """The store was read."""

    snapshot: Snapshot


@dataclass
class QueueRead(Newest):
    """The queue was read."""

    queue: QueueView


@dataclass
class FoundRead(Newest):
    """Campaign -> what its faults did so far, of all of which that is known."""

    found: Mapping[int, FaultFindings]


@dataclass
class MapRead(Newest):
    """How critical each layer and bit of a campaign is was read."""

    version: tuple[object, ...]
    """of the campaign, see `version_of`"""
    grid: HeatGrid | None
    """None where it cannot be read"""


@dataclass
class LiveDetailsRead(Newest):
    """What the live screen shows beside the curve was read."""

    details: LiveDetails
