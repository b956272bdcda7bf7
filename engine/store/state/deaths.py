"""How often the process that ran a campaign died at the same place: one that always does is not run for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store.state.state import StateFile

MOST_DEATHS = 3
"""without a part in between, after which a campaign has failed"""


def last_deaths(state: StateFile, campaign: int) -> int:
    """How many there were since the last part was committed."""
    query = "SELECT count FROM deaths WHERE campaign = ? AND parts = (SELECT count(*) FROM receipts WHERE campaign = ?)"
    return next((int(row["count"]) for row in state.rows(query, campaign, campaign)), 0)


def note_deaths(state: StateFile, campaign: int, deaths: int) -> None:
    """Keep their number, with how many parts there are."""
    parts = "SELECT count(*) FROM receipts WHERE campaign = ?1"
    state.rows(f"INSERT OR REPLACE INTO deaths VALUES (?1, ({parts}), ?2)", campaign, deaths)


def forget_deaths(state: StateFile, campaign: int) -> None:
    """Its process has ended as it should."""
    state.rows("DELETE FROM deaths WHERE campaign = ?", campaign)


def told(campaign: int) -> str:
    """Why it has failed."""
    return (
        f"its process died {MOST_DEATHS} times without a part in between, killed for its memory or crashed; see "
        f"worker.log and the system's log, perhaps lower [run] memory, then `dear-tui retry {campaign}`"
    )
