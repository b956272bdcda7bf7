"""What the reading thread tells the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from dear_tui.live_details import LiveDetails
    from dear_tui.source import Snapshot


@dataclass
class SnapshotRead(Message):
    """The store was read; only the newest counts."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """A newer snapshot takes the place of one not yet handled."""
        return isinstance(message, SnapshotRead)


@dataclass
class DetailsRead(Message):
    """What the live screen shows beside the curve was read; only the newest counts."""

    details: LiveDetails

    def can_replace(self, message: Message) -> bool:
        """Newer details take the place of those not yet handled."""
        return isinstance(message, DetailsRead)
