"""How often the process that ran a campaign died at the same place: one that always does is not run for ever."""

from __future__ import annotations

MOST_DEATHS = 3
"""without a part in between, after which a campaign has failed"""


def told(campaign: int) -> str:
    """Why it has failed."""
    return (
        f"its process died {MOST_DEATHS} times without a part in between, killed for its memory or crashed; see "
        f"worker.log and the system's log, perhaps lower [run] memory, then `dear-tui retry {campaign}`"
    )
