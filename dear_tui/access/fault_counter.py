"""Critical faults of many campaigns, counted a little at a time: a store with hundreds of them is shown before that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dear_tui.access.store_reader import Desk
    from engine.store import CampaignStatus


RETRY_SECONDS = 10.0
"""after a damaged part, which may be mended"""


class FaultCounter:
    """Counts where more pairs are critical than at the last count; for one thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._counted: dict[tuple[int, str], int] = {}
        """campaign and when it was made -> its critical pairs when its critical faults were counted"""
        self._again: dict[tuple[int, str], float] = {}
        """campaign whose critical faults could not be counted -> the (monotonic) time to try again"""
        self.found: Mapping[int, int] = {}
        """campaign -> its critical faults; another mapping after every change"""

    def count(self, campaigns: Iterable[CampaignStatus], deadline: float) -> bool:
        """Count until all are known or the (monotonic) time has come; False where some are left."""
        found = dict(self.found)
        is_done = True
        for status in campaigns:
            key = status.id, status.created  # in a store that was made anew the same number is another campaign
            if self._counted.get(key) == status.critical or time.monotonic() < self._again.get(key, 0.0):
                continue
            if time.monotonic() > deadline:
                is_done = False
                break
            faults = self._desk.critical_faults(status.id) if status.critical else 0
            if faults is None:
                self._again[key] = time.monotonic() + RETRY_SECONDS
            else:
                self._counted[key], found[status.id] = status.critical, faults
        if found != self.found:
            self.found = found
        return is_done
