"""What the faults of many campaigns did, counted a little at a time: hundreds of campaigns are shown before that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dear_tui.access.store_reader import Desk
    from engine.store import CampaignStatus
    from engine.store.read.fault_results import FaultFindings


RETRY_SECONDS = 10.0
"""after a damaged part, which may be mended"""


class FaultCounter:
    """Counts where more pairs are stored than at the last count; for one thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._counted: dict[tuple[int, str], tuple[int, int]] = {}
        """campaign and when it was made -> how far it was when its faults were counted"""
        self._again: dict[tuple[int, str], float] = {}
        """campaign whose faults could not be counted -> the (monotonic) time to try again"""
        self.found: Mapping[int, FaultFindings] = {}
        """campaign -> what its faults did; another mapping after every change"""

    def count(self, campaigns: Iterable[CampaignStatus], deadline: float) -> bool:
        """Count until all are known or the (monotonic) time has come; False where some are left."""
        found = dict(self.found)
        is_done = True
        for status in campaigns:
            key = status.id, status.created  # in a store that was made anew the same number is another campaign
            if self._counted.get(key) == _progress(status) or time.monotonic() < self._again.get(key, 0.0):
                continue
            if time.monotonic() > deadline:
                is_done = False
                break
            if not status.count():  # nothing is stored yet
                continue
            findings = self._desk.findings(status.id)
            if findings is None:
                self._again[key] = time.monotonic() + RETRY_SECONDS
            else:
                self._counted[key], found[status.id] = _progress(status), findings
        if found != self.found:
            self.found = found
        return is_done


def _progress(status: CampaignStatus) -> tuple[int, int]:
    """What changes with every part that is stored."""
    return status.count(), status.critical
