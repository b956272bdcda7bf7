"""The state that campaigns are in now, in the view `campaigns` of one session.

campaign.json has the state as it was last written: after a kill it says `running` until somebody takes the lock.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from engine.errors import UnreachableError
from engine.store.parquet import sql_text
from engine.store.state.lock import holder
from engine.store.state.state import StateFile

if TYPE_CHECKING:
    import duckdb

    from engine.store.layout import Layout
    from engine.store.records import CampaignStatus

_COLUMNS = {"state": "VARCHAR", "started": "TIMESTAMP", "finished": "TIMESTAMP", "error": "VARCHAR"}


class CurrentState:
    """Writes what state.sqlite and the lock say over what the view reads from campaign.json."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
        """`connection`: a session that has the views of the store."""
        self._connection = connection
        self._layout = layout
        view = connection.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'campaigns'").fetchone()
        self._written = str(view[0]).partition(" AS ")[2].rstrip().rstrip(";") if view else ""
        self._shown = ""
        self._refreshing = threading.Lock()

    def refresh(self) -> None:
        """Let the next query see the state as it is; of a store whose state.sqlite is lost, as it was written."""
        with self._refreshing:
            rows = ", ".join(_row(status) for status in _statuses(self._layout))
            if rows == self._shown:
                return
            self._connection.execute(
                f"CREATE OR REPLACE VIEW campaigns AS {self._with(rows) if rows else self._written}"
            )
            self._shown = rows

    def _with(self, rows: str) -> str:
        known = ", ".join(f"if(now.campaign IS NULL, written.{name}, now.{name}) AS {name}" for name in _COLUMNS)
        return (
            f"SELECT written.* REPLACE ({known}) FROM ({self._written}) AS written "
            f"LEFT JOIN (VALUES {rows}) AS now(campaign, {', '.join(_COLUMNS)}) USING (campaign)"
        )


def _statuses(layout: Layout) -> list[CampaignStatus]:
    try:
        with closing(StateFile(layout.state, read_only=True)) as state:
            return state.statuses(holder(layout.lock) is not None)
    except UnreachableError:
        return []


def _row(status: CampaignStatus) -> str:
    values = ((getattr(status, name), kind) for name, kind in _COLUMNS.items())
    # a damaged time is unknown, instead of ending every query
    texts = (f"TRY_CAST({'NULL' if value is None else sql_text(value)} AS {kind})" for value, kind in values)
    return f"({', '.join([str(status.id), *texts])})"
