"""What threads tell the app and its screens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dear_tui.access.live_details import LiveDetails
    from dear_tui.access.store_location import Snapshot
    from dear_tui.access.store_reader import Details
    from engine.config.fields import ConfigField
    from engine.store import QueueView


@dataclass
class SnapshotRead(Message):
    """The store was read; only the newest counts."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """A newer snapshot takes the place of one not yet handled."""
        return isinstance(message, SnapshotRead)


@dataclass
class QueueRead(Message):
    """The queue was read; only the newest counts."""

    queue: QueueView

    def can_replace(self, message: Message) -> bool:
        """A newer queue takes the place of one not yet handled."""
        return isinstance(message, QueueRead)


@dataclass
class FoundRead(Message):
    """Campaign -> its critical faults so far, of all whose count is known."""

    found: Mapping[int, int]

    def can_replace(self, message: Message) -> bool:
        """Every reading has all of them."""
        return isinstance(message, FoundRead)


@dataclass
class DetailsRead(Message):
    """The details of one campaign were read."""

    details: Details
    key: tuple[object, ...]
    """what they were read for"""


@dataclass
class FieldsLoaded(Message):
    """The keys of a config are known, and what a new one may start from."""

    fields: tuple[ConfigField, ...]
    samples: tuple[str, ...]


@dataclass
class LiveDetailsRead(Message):
    """What the live screen shows beside the curve was read; only the newest counts."""

    details: LiveDetails

    def can_replace(self, message: Message) -> bool:
        """Newer details take the place of those not yet handled."""
        return isinstance(message, LiveDetailsRead)
