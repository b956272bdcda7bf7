"""Questions about what a campaign found, answered from its summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.store.read.fault_results import read_critical_images, read_faults, read_rates
from engine.store.read.image_results import read_images, read_mistakes

if TYPE_CHECKING:
    from engine.faults.group import FaultGroup
    from engine.store.read.fault_results import CriticalImages, FaultOrder, FaultRates, FaultRows
    from engine.store.read.image_results import ImageOrder, ImageRows, Mistakes
    from engine.store.read.reading import StoreReader


class Results:
    """What the campaigns of a store found; any call may be made while they run."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store

    def description(self, campaign: int) -> dict[str, Any]:
        """All that is fixed of a campaign, see `StoreReader.description`."""
        return self._store.description(campaign)

    def rates(self, campaign: int) -> FaultRates:
        """Faults and pairs by layer and bit."""
        return read_rates(self._store.read, campaign, self._store.description(campaign))

    def faults(self, campaign: int, group: FaultGroup, order: FaultOrder) -> FaultRows:
        """The faults of a group."""
        return read_faults(self._store.read, campaign, group, order)

    def critical_images(self, campaign: int, fault_id: int) -> CriticalImages:
        """The images that a fault is critical for."""
        return read_critical_images(self._store.read, campaign, fault_id)

    def images(self, campaign: int, order: ImageOrder) -> ImageRows:
        """The images of a campaign's workload."""
        return read_images(self._store.read, campaign, order)

    def mistakes(self, campaign: int, image_id: int) -> Mistakes:
        """What an image is taken for under the faults that are critical for it."""
        return read_mistakes(self._store.read, campaign, image_id)
