"""What the reading thread tells the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from dear_tui.source import Snapshot


@dataclass
class SnapshotRead(Message):
    """The store was read; only the newest counts."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """A newer snapshot takes the place of one not yet handled."""
        return isinstance(message, SnapshotRead)
