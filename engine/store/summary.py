"""What the tables and the printed summary of a campaign are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.store.parquet import read_arrays
from engine.store.records import CampaignSummary

if TYPE_CHECKING:
    import duckdb

    from engine.store.records import CampaignStatus


def read_summary(status: CampaignStatus, metric: str, connection: duckdb.DuckDBPyConnection) -> CampaignSummary:
    """Sum the committed parts of a campaign; the severities themselves are not read.

    Args:
        metric: the column of `images` to give.
        connection: has the store's views.
    """
    counts = ", ".join(f"coalesce({name}, 0)::BIGINT AS {name}" for name in ("masked", "non_critical", "critical"))
    faults = read_arrays(
        connection,
        f"SELECT fault_id::BIGINT AS fault_id, {counts}, coalesce(correct, 0)::BIGINT AS correct, "
        "coalesce(first_non_masked, -1)::BIGINT AS first_non_masked, coalesce(first_critical, -1)::BIGINT AS first_critical "
        f"FROM faults LEFT JOIN fault_summary USING (campaign, fault_id) WHERE campaign = {status.id} ORDER BY fault_id",
    )
    images = read_arrays(
        connection,
        f"SELECT image_id::BIGINT AS image_id, {counts}, coalesce(rank, -1)::BIGINT AS rank, {metric} AS metric, golden_correct "
        f"FROM images LEFT JOIN image_summary USING (campaign, image_id) WHERE campaign = {status.id} ORDER BY image_id",
    )
    pairs = read_arrays(
        connection,
        f"SELECT fault_id::BIGINT AS fault_id, image_id::BIGINT AS image_id FROM critical WHERE campaign = {status.id}",
    )
    nonfinite = connection.execute(
        f"SELECT count(*) FROM critical WHERE nonfinite AND campaign = {status.id}"
    ).fetchone()
    ran = images["rank"] >= 0
    return CampaignSummary(
        status=status,
        fault_id=faults["fault_id"],
        masked=faults["masked"],
        non_critical=faults["non_critical"],
        critical=faults["critical"],
        correct=faults["correct"],
        first_non_masked=faults["first_non_masked"],
        first_critical=faults["first_critical"],
        metric_name=metric,
        metric=images["metric"],
        workload=images["image_id"][ran][images["rank"][ran].argsort()],
        golden_correct=images["golden_correct"],
        critical_per_image=images["critical"],
        critical_fault=pairs["fault_id"],
        critical_image=pairs["image_id"],
        nonfinite_pairs=nonfinite[0] if nonfinite else 0,
    )
