"""What the tables and the printed summary of a campaign are computed from, and its critical faults so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.tables import TableOneRow, table_one
from engine.store.parquet import of_any_format, read_arrays, stored, stored_rows
from engine.store.read.audit import read_audit
from engine.store.records import CampaignSummary
from engine.store.schema import COUNTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import CampaignStatus, Receipt


WEIGHT = "coalesce(weight, 1) AS weight"
"""Faults of a list, and of campaigns of older formats, stand for as many as each other."""


def read_summary(
    status: CampaignStatus, metric: str, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> CampaignSummary:
    """Sum the committed parts of a campaign; the severities themselves are not read.

    Args:
        metric: the column of `images` to give.
        receipts: of the committed parts.
        connection: has the store's views.

    Raises:
        ValueError: the files with the faults or the images are not whole.
    """
    counts = ", ".join(f"coalesce({name}, 0) AS {name}" for name in COUNTS)
    faults = read_arrays(
        connection,
        f"SELECT fault_id::BIGINT AS fault_id, {counts}, coalesce(correct, 0) AS correct, {WEIGHT} "
        "FROM faults LEFT JOIN fault_summary USING (campaign, fault_id) "
        f"WHERE campaign = {status.id} ORDER BY fault_id",
    )
    images = read_arrays(
        connection,
        f"SELECT image_id::BIGINT AS image_id, coalesce(rank, -1) AS rank, {metric} AS metric, golden_correct "
        f"FROM images WHERE campaign = {status.id} ORDER BY image_id",
    )
    pairs = read_arrays(
        connection,
        "SELECT fault_id::BIGINT AS fault_id, image_id::BIGINT AS image_id, nonfinite "
        f"FROM critical WHERE campaign = {status.id}",
    )
    ran = images["rank"] >= 0
    if len(faults["fault_id"]) != status.faults or np.count_nonzero(ran) != status.images:
        raise ValueError(f"campaign {status.id} lacks some of its faults or images")
    known = [receipt.seconds for receipt in receipts if receipt.seconds is not None]
    return CampaignSummary(
        status=status,
        fault_id=faults["fault_id"],
        **{name: faults[name] for name in COUNTS},
        correct=faults["correct"],
        weight=faults["weight"],
        metric_name=metric,
        metric=images["metric"],
        workload=images["image_id"][ran][images["rank"][ran].argsort()],
        golden_correct=images["golden_correct"],
        critical_fault=pairs["fault_id"],
        critical_image=pairs["image_id"],
        nonfinite_pairs=int(pairs["nonfinite"].sum()),
        seconds=sum(known) if len(known) == len(receipts) else None,
        unverified_parts=sum(receipt.rebuilt for receipt in receipts),
        audit=read_audit(status, connection),
    )


def read_critical_faults(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> NDArray[np.uint32]:
    """The ids of faults that are critical for at least one image; a part without any is not opened."""
    with_some = [receipt for receipt in receipts if receipt.critical]
    if not with_some:
        return np.zeros(0, dtype=np.uint32)
    query = f"SELECT DISTINCT fault_id FROM {_fault_summary(campaign, with_some)} WHERE critical > 0"
    fault_ids: NDArray[np.uint32] = read_arrays(connection, query)["fault_id"]
    return fault_ids


def read_table_one(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> TableOneRow:
    """Table I of a campaign all of whose parts are committed, from the sums per fault."""
    names = ("non_critical", "critical", "correct", "screened", "dropped")
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in names)
    faults = read_arrays(
        connection,
        f"SELECT {WEIGHT}, {', '.join(names)} FROM (SELECT fault_id, {sums} "
        f"FROM {_fault_summary(campaign, receipts)} GROUP BY fault_id) "
        f"JOIN {of_any_format('faults', {}, f'FROM {stored(campaign.faults)}')} USING (fault_id)",
    )
    golden = read_arrays(connection, f"SELECT golden_correct FROM {stored(campaign.images)} WHERE rank IS NOT NULL")
    return table_one(golden_correct=golden["golden_correct"], **faults)


def _fault_summary(campaign: CampaignLayout, receipts: Sequence[Receipt]) -> str:
    return stored_rows("fault_summary", *(campaign.part("fault_summary", receipt.part) for receipt in receipts))
