"""How long a campaign took by the clock on the wall."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store import CampaignStatus


def start_to_end(status: CampaignStatus) -> float | None:
    """Seconds from the first start of a finished campaign to its end, pauses included.

    Returns:
        None where it is not finished, or a clock was set back since.
    """
    if status.state != "finished" or not status.started or not status.finished:
        return None
    with suppress(ValueError, TypeError):  # of a damaged state.sqlite
        seconds = (datetime.fromisoformat(status.finished) - datetime.fromisoformat(status.started)).total_seconds()
        return seconds if seconds >= 0 else None
    return None
