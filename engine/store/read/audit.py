"""What the audit of a campaign ran, counted for the bounds of what screening missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.audit import AuditResults, bound_missed
from engine.severity import CRITICAL
from engine.store.parquet import read_arrays
from engine.store.records import SCREENED_BY_CHANGE

if TYPE_CHECKING:
    import duckdb

    from engine.store.records import CampaignStatus


def read_audit(status: CampaignStatus, connection: duckdb.DuckDBPyConnection) -> AuditResults | None:
    """The bounds over the committed parts; None where no pair was screened.

    A miss was screened before it was run: it is no longer counted as screened, and belongs to what was skipped.

    Args:
        status: of the campaign.
        connection: has the store's views.
    """
    if not status.screened and not status.audited:
        return None
    misses = (
        "(SELECT fault_id, count(DISTINCT image_id) AS found FROM audit "
        f"WHERE campaign = {status.id} AND severity = {CRITICAL} GROUP BY fault_id)"
    )
    of_faults = (
        "(SELECT fault_id, screened, critical, coalesce(found, 0) AS found, "
        "screened + coalesce(found, 0) > 0 AND critical = coalesce(found, 0) AS is_called_safe "
        f"FROM fault_summary LEFT JOIN {misses} USING (fault_id) WHERE campaign = {status.id})"
    )
    skipped = read_arrays(
        connection,
        "SELECT coalesce(sum(screened + found), 0)::BIGINT AS pairs, count(*) FILTER (is_called_safe) AS faults, "
        "coalesce(sum(found), 0)::BIGINT AS known_pairs, "
        f"count(*) FILTER (found > 0 AND is_called_safe) AS known_faults FROM {of_faults}",
    )
    whole = "drawn_as = 'fault' AND is_called_safe"  # a fault that was seen critical is no sample of the others
    drawn = read_arrays(
        connection,
        "SELECT count(*) FILTER (drawn_as = 'pair') AS pairs, "
        f"count(*) FILTER (drawn_as = 'pair' AND severity = {CRITICAL}) AS missed_pairs, "
        f"count(DISTINCT fault_id) FILTER ({whole}) AS faults, "
        f"count(DISTINCT fault_id) FILTER ({whole} AND severity = {CRITICAL}) AS missed_faults "
        f"FROM audit JOIN {of_faults} USING (fault_id) WHERE campaign = {status.id}",
    )
    pairs, faults = (
        bound_missed(
            skipped=int(skipped[name][0]),
            audited=int(drawn[name][0]),
            missed=int(drawn[f"missed_{name}"][0]),
            known=int(skipped[f"known_{name}"][0]),
        )
        for name in ("pairs", "faults")
    )
    by_change = read_arrays(
        connection,
        f"SELECT coalesce(sum((statistics->>'{SCREENED_BY_CHANGE}')::DOUBLE), 0)::BIGINT AS pairs "
        f"FROM parts WHERE campaign = {status.id}",
    )
    return AuditResults(pairs, faults, by_change=int(by_change["pairs"][0]))
