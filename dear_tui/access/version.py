"""When what was read of a campaign is no longer what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.severity import NOT_RUN_NAMES, SEVERITIES

if TYPE_CHECKING:
    from engine.store import CampaignStatus


def version_of(status: CampaignStatus) -> tuple[object, ...]:
    """Changes with every part that is stored, also where all its pairs were screened; and with the store, made anew."""
    counts = (getattr(status, name) for name in (*SEVERITIES, *NOT_RUN_NAMES))
    return status.id, status.created, *counts
