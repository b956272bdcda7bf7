"""What the audit of a campaign ran, counted for the bounds of what screening missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.audit import AuditResults, bound_missed
from engine.severity import CRITICAL
from engine.store.parquet import read_arrays
from engine.store.records import SCREENED_BY_CHANGE

if TYPE_CHECKING:
    import duckdb

    from engine.store.read.fault_totals import FaultTotals
    from engine.store.records import CampaignStatus


def read_audit(
    status: CampaignStatus, totals: FaultTotals, connection: duckdb.DuckDBPyConnection
) -> AuditResults | None:
    """The bounds over the committed parts; None where no pair was screened.

    A miss was screened before it was run: it is no longer counted as screened, and belongs to what was skipped.

    Args:
        status: of the campaign.
        totals: of its faults, up to date.
        connection: has the store's views.
    """
    if not status.screened and not status.audited:
        return None
    is_miss = f"severity = {CRITICAL}"
    drawn = read_arrays(
        connection,
        f"SELECT fault_id, count(DISTINCT image_id) FILTER ({is_miss}) AS found, "
        "count(*) FILTER (drawn_as = 'pair') AS pairs, "
        f"count(*) FILTER (drawn_as = 'pair' AND {is_miss}) AS missed_pairs, "
        "count(*) FILTER (drawn_as = 'fault') > 0 AS is_whole, "
        f"count(*) FILTER (drawn_as = 'fault' AND {is_miss}) > 0 AS is_missed "
        f"FROM audit WHERE campaign = {status.id} GROUP BY fault_id",
    )
    found = np.zeros(len(totals.critical), np.int32)
    """[ids] misses of each fault, however they were drawn"""
    found[drawn["fault_id"]] = drawn["found"]
    # a fault that was seen critical is no sample of the others
    is_called_safe = (totals.is_screened | (found > 0)) & (totals.critical == found)
    of_safe = is_called_safe[drawn["fault_id"]]
    by_change = read_arrays(
        connection,
        f"SELECT coalesce(sum((statistics->>'{SCREENED_BY_CHANGE}')::DOUBLE), 0)::BIGINT AS pairs "
        f"FROM parts WHERE campaign = {status.id}",
    )
    return AuditResults(
        pairs=bound_missed(
            skipped=status.screened + int(found.sum()),
            audited=int(drawn["pairs"].sum()),
            missed=int(drawn["missed_pairs"].sum()),
            known=int(found.sum()),
        ),
        faults=bound_missed(
            skipped=int(np.count_nonzero(is_called_safe)),
            audited=int(np.count_nonzero(drawn["is_whole"] & of_safe)),
            missed=int(np.count_nonzero(drawn["is_missed"] & of_safe)),
            known=int(np.count_nonzero(is_called_safe & (found > 0))),
        ),
        by_change=int(by_change["pairs"][0]),
    )
