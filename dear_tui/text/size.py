"""How large a campaign is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store import CampaignStatus

NOT_PREPARED = "faults and images not known yet"
"""of a campaign that was queued by its config alone"""


def size_of(status: CampaignStatus, by: str = "×") -> str:
    """Its faults, of how many where it stopped early, and its images.

    Args:
        status: of the campaign.
        by: the sign between faults and images.
    """
    if not status.is_prepared:
        return NOT_PREPARED
    of_drawn = f" of {status.drawn:,}" if status.has_stopped_early else ""
    return f"{status.faults:,}{of_drawn} faults {by} {status.images:,} images"
