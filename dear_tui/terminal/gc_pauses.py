"""Python looks for garbage whenever it likes, and then everything waits; here it does so between two keys."""

from __future__ import annotations

import gc
import time

REST_SECONDS = 1.0
"""without a key, before it is the moment"""
LEAST_COLLECTIONS = 3
"""of young objects since the last time; with fewer there is nothing to win"""
MOST_COLLECTIONS = 100
"""after which Python looks on its own, where the user does not rest; its default is every 10"""


class GarbageBetweenKeys:
    """Looks through all objects while the user rests, and spares those alive then from Python's own looks.

    A look at the 120,000 objects of the screens takes 35 ms, on a busy machine 80: more than a key may take.
    """

    def __init__(self) -> None:
        self._last_key = time.monotonic()
        self._thresholds = gc.get_threshold()
        gc.set_threshold(*self._thresholds[:2], MOST_COLLECTIONS)

    def key_pressed(self) -> None:
        """Put the next collection off, because somebody is typing."""
        self._last_key = time.monotonic()

    def look(self) -> None:
        """Collect if this is the moment."""
        if time.monotonic() - self._last_key >= REST_SECONDS and gc.get_count()[2] >= LEAST_COLLECTIONS:
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    def end(self) -> None:
        """What was spared is garbage now, and Python looks as it did before."""
        gc.unfreeze()
        gc.set_threshold(*self._thresholds)
