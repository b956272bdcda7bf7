"""A campaign that waits, paused, for room on the disk, and goes on by itself when there is some."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import DiskFullError
from engine.store.files import keep_reserve

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.store import Store

ROOM_SECONDS = 2.0
"""between two attempts to write to a full disk"""
_ASK_SECONDS = 0.1


class StoppedError(Exception):
    """Somebody asked for a stop where there is no part to be finished first: while loading, or waiting for room."""


@dataclass
class WaitForRoom:
    """The `Room` of one running campaign: in every client it is paused, with the reason, until there is room."""

    _store: Store
    _campaign: int
    _on_note: Callable[[str], None]
    _should_stop: Callable[[], bool]
    _is_said: bool = False

    def wait(self, error: DiskFullError) -> None:
        """Wait a little.

        Raises:
            StoppedError: somebody asked for a stop.
        """
        sentence = f"{error}; it goes on by itself"
        if not self._is_said:
            self._on_note(sentence)
            self._is_said = True
        self._store.set_waiting(self._campaign, sentence)
        again = time.monotonic() + ROOM_SECONDS
        while time.monotonic() < again:
            if self._should_stop():
                raise StoppedError
            time.sleep(_ASK_SECONDS)

    def found(self) -> None:
        """Tell every client that the campaign goes on."""
        self._is_said = False
        with suppress(DiskFullError):
            self._store.set_waiting(self._campaign, None)
            keep_reserve(self._store.layout.reserve)
