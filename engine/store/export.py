"""A campaign as files of its own, for other programs."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from engine.errors import DearError, InputError
from engine.store.files import lack, lack_of_room, sha256
from engine.store.mend.recovery import find_altered
from engine.store.parquet import connect, sql_text
from engine.store.schema import VIEWS
from engine.store.sql.catalogue import create_views
from engine.store.write.creation import find_altered_fixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.store.records import CampaignStatus
    from engine.store.store import Store

OPTIONS = {
    # not in the groups of a part, whose severities would take 15 % more room here
    "parquet": "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1_000_000",
    "csv": "FORMAT csv, HEADER",
}


SAMPLE_ROWS = 1000
"""whose length tells that of all"""
COMPUTED_ROW_BYTES = 30
"""of a view whose rows cost much to compute; they are a few counts each"""


def export_sealed(store: Store, campaign: int, target: Path) -> None:
    """Copy the sealed file of a finished campaign.

    Raises:
        InputError: there is no such campaign, or it is not finished.
        DearError: the sealed file is damaged, or the copy cannot be written.
    """
    status, sealed = store.campaign(campaign), store.layout.campaign(campaign).sealed
    if status.state != "finished":
        raise InputError(
            f"campaign {campaign} is {status.state}, and only a finished one has a DuckDB file; run it to its end, or "
            "export what is there with --format parquet or csv"
        )
    if why := lack(sealed):
        raise _damaged(f"{sealed}: {why}", campaign)
    try:
        shutil.copyfile(sealed, target)
        copied = sha256(target)
    except OSError as error:
        raise _unwritten(target, error) from None
    if copied != store.state.sealed_sha256(campaign):
        raise _damaged(f"{sealed}: damaged", campaign)


@dataclass(frozen=True)
class TableSize:
    """What a view of a campaign will take."""

    rows: int
    bytes: int
    """as CSV, about"""


def estimate_csv(store: Store, campaign: int, views: Sequence[str] = tuple(VIEWS)) -> dict[str, TableSize]:
    """View -> what it will take as CSV, of those of very many rows; nothing where something of it is damaged.

    Raises:
        InputError: there is no such campaign.
    """
    status, sizes = store.campaign(campaign), {}
    computed = {"fault_summary": status.faults, "accuracy_cost": status.faults, "image_summary": status.images}
    with connect() as connection, suppress(duckdb.Error):
        create_views(connection, store.layout)
        for view in views:
            if view in computed or view == "curve":
                rows = computed.get(view, status.images)
                sizes[view] = TableSize(rows, COMPUTED_ROW_BYTES * rows)
            elif view in ("faults", "sites", "images", "severity", "critical", "audit"):
                some = f"(FROM {view} WHERE campaign = {campaign} LIMIT {SAMPLE_ROWS})"
                found = connection.execute(
                    f"SELECT (SELECT count(*) FROM {view} WHERE campaign = {campaign}), "
                    f"avg(strlen(concat_ws(',', *COLUMNS(*))) + 1) FROM {some}"
                ).fetchone()
                rows, length = found or (0, 0)
                sizes[view] = TableSize(rows, round(rows * (length or 0)))
    return sizes


def export_tables(
    store: Store, campaign: int, table_format: str, folder: Path, views: Sequence[str] = tuple(VIEWS)
) -> Iterator[str]:
    """Write the committed rows of a campaign into an empty folder, a file for each view; gives the names of those done.

    Args:
        table_format: a key of OPTIONS.
        views: to write.

    Raises:
        InputError: there is no such campaign.
        DearError: something of it is damaged, or a file cannot be written.
    """
    status = store.campaign(campaign)
    layout = store.layout.campaign(campaign)
    damages = [*find_altered_fixed(layout, store.state.campaign_row(campaign)).values()]
    damages += filter(None, (find_altered(layout, receipt) for receipt in store.state.receipts(campaign)))
    if damages:
        raise _damaged(damages[0], campaign)
    with connect() as connection:
        create_views(connection, store.layout)
        for table in views:
            target = folder / f"{table}.{table_format}"
            columns = _present_state(status) if table == "campaigns" else "*"
            rows = f"SELECT {columns} FROM {table} WHERE campaign = {campaign}"
            try:
                connection.execute(f"COPY ({rows}) TO {sql_text(target)} ({OPTIONS[table_format]})")
            except duckdb.Error as error:
                raise _unwritten(target, error) from None
            yield table


def _present_state(status: CampaignStatus) -> str:
    """The columns of `campaigns` with the state as it is: campaign.json may be of before a process died."""
    times = {"started": status.started, "finished": status.finished}
    replaced = [f"{sql_text(status.state)} AS state"]
    known = {name: "NULL" if time is None else sql_text(time) for name, time in times.items()}
    replaced += [f"TRY_CAST({time} AS TIMESTAMP) AS {name}" for name, time in known.items()]
    replaced += [f"{'NULL' if status.error is None else sql_text(status.error)}::VARCHAR AS error"]
    return f"* REPLACE ({', '.join(replaced)})"


def _damaged(problem: str, campaign: int) -> DearError:
    return DearError(f"{problem}; `dear-tui verify {campaign}` says what can be done")


def _unwritten(target: Path, error: Exception) -> DearError:
    reason = lack_of_room(error) or str(error).splitlines()[0]
    return DearError(f"{target.parent}: the export cannot be written there ({reason}); give --output another place")
