"""Critical faults of many campaigns, counted a little at a time: a store with hundreds of them is shown before that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dear_tui.desk import Desk
    from engine.store import CampaignStatus


class FaultCounter:
    """Counts where more pairs are critical than at the last count; for one thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._counted: dict[int, int] = {}
        """campaign -> its critical pairs when its critical faults were counted"""
        self.found: Mapping[int, int] = {}
        """campaign -> its critical faults; another mapping after every change"""

    def count(self, campaigns: Iterable[CampaignStatus], deadline: float) -> bool:
        """Count until all are known or the (monotonic) time has come; False where some are left."""
        found = dict(self.found)
        is_done = True
        for status in campaigns:
            if self._counted.get(status.id) == status.critical:
                continue
            if time.monotonic() > deadline:
                is_done = False
                break
            self._counted[status.id] = status.critical
            faults = self._desk.critical_faults(status.id) if status.critical else 0
            if faults is not None:
                found[status.id] = faults
        if found != self.found:
            self.found = found
        return is_done
