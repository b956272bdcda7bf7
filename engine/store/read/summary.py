"""What the tables and the printed summary of a campaign are computed from, and its critical faults so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.tables import TableOneRow, table_one
from engine.metrics.registry import METRIC_COLUMNS
from engine.severity import COUNTS
from engine.store.parquet import of_any_format, read_arrays, stored, stored_rows
from engine.store.read.audit import read_audit
from engine.store.read.fault_totals import read_fault_summaries
from engine.store.records import CampaignSummary, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.read.fault_totals import FaultTotals
    from engine.store.records import CampaignStatus, Receipt


WEIGHT = "coalesce(weight, 1) AS weight"
"""Faults of a list, and of campaigns of older formats, stand for as many as each other."""


def read_summary(
    status: CampaignStatus,
    metric: str,
    campaign: CampaignLayout,
    receipts: Sequence[Receipt],
    totals: FaultTotals,
    population: NDArray[np.int64] | None,
    connection: duckdb.DuckDBPyConnection,
) -> CampaignSummary:
    """Sum the committed parts of a campaign; the severities themselves are not read.

    Args:
        status: of the campaign.
        metric: the column of `images` that ranked them.
        campaign: where its files are.
        receipts: of the committed parts.
        totals: of its faults, up to date.
        population: [H] of its strata, see `CampaignSummary`.
        connection: has the store's views.

    Raises:
        ValueError: the files with the faults or the images are not whole.
    """
    faults = read_arrays(
        connection,
        f"SELECT fault_id, {WEIGHT}, coalesce(stratum, 0)::BIGINT AS stratum FROM {_faults(campaign)} "
        "ORDER BY fault_id",
    )
    images = read_arrays(
        connection,
        f"SELECT image_id::BIGINT AS image_id, coalesce(rank, -1) AS rank, {', '.join(METRIC_COLUMNS)}, golden_correct "
        f"FROM images WHERE campaign = {status.id} ORDER BY image_id",
    )
    pairs = read_arrays(connection, f"SELECT fault_id, image_id, nonfinite FROM critical WHERE campaign = {status.id}")
    ran = images["rank"] >= 0
    # parts may reach further than the receipts do
    known_pairs = np.isin(pairs["image_id"], images["image_id"][images["rank"] < _last_rank(receipts)])
    pairs = {name: column[known_pairs] for name, column in pairs.items()}
    if len(faults["fault_id"]) != status.faults or np.count_nonzero(ran) != status.images:
        raise ValueError(f"campaign {status.id} lacks some of its faults or images")
    known = [receipt.seconds for receipt in receipts if receipt.seconds is not None]
    return CampaignSummary(
        status=status,
        fault_id=faults["fault_id"],
        **_sums(campaign, receipts, faults["fault_id"], connection),
        weight=faults["weight"],
        stratum=faults["stratum"],
        population=population,
        metric_name=metric,
        metrics={name: values for name in METRIC_COLUMNS if not np.ma.is_masked(values := images[name])},
        workload=images["image_id"][ran][images["rank"][ran].argsort()],
        golden_correct=images["golden_correct"],
        critical_fault=pairs["fault_id"],
        critical_image=pairs["image_id"],
        nonfinite=_by_fault(pairs["fault_id"][pairs["nonfinite"]], faults["fault_id"]),
        seconds=sum(known) if len(known) == len(receipts) else None,
        unverified_parts=sum(receipt.rebuilt for receipt in receipts),
        audit=read_audit(status, totals, connection),
    )


def _last_rank(receipts: Sequence[Receipt]) -> int:
    """The rank after the last one that some parts have."""
    return max((receipt.span.rank_stop for receipt in receipts), default=0)


def _sums(
    campaign: CampaignLayout,
    receipts: Sequence[Receipt],
    fault_id: NDArray[np.uint32],
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str] = (*COUNTS, "correct"),
) -> dict[str, NDArray[Any]]:
    """Count -> [F] in the order of the ids, which ascend."""
    sums = {name: np.zeros(len(fault_id), np.int32) for name in names}
    for _, rows in read_fault_summaries(campaign, receipts, ("fault_id", *names), connection):
        place = _places(rows["fault_id"], fault_id)
        for name, total in sums.items():
            total[place] += rows[name]
    return sums


def _places(some: NDArray[np.uint32], fault_id: NDArray[np.uint32]) -> NDArray[np.integer]:
    """Where some ids are among all, which ascend."""
    has_all = len(fault_id) and fault_id[-1] == len(fault_id) - 1  # then an id is its own place
    return some if has_all else np.searchsorted(fault_id, some)


def _by_fault(some: NDArray[np.uint32], fault_id: NDArray[np.uint32]) -> NDArray[np.int64]:
    """How often each of all ids is among some, [F]."""
    return np.bincount(_places(some, fault_id), minlength=len(fault_id))


def read_critical_faults(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> NDArray[np.uint32]:
    """The ids of the n faults that are critical for at least one image, [n]; a part without any is not opened."""
    with_some = [receipt for receipt in receipts if receipt.critical]
    if not with_some:
        return np.zeros(0, dtype=np.uint32)
    query = f"SELECT DISTINCT fault_id FROM {_fault_summary(campaign, with_some)} WHERE critical > 0"
    fault_ids: NDArray[np.uint32] = read_arrays(connection, query)["fault_id"]
    return fault_ids


def read_table_one(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> TableOneRow:
    """Table I of a campaign all of whose parts are committed, from the sums of the faults of each weight."""
    row = _table_one_of_sums(campaign, receipts, connection)
    return replace(row, critical_faults=len(read_critical_faults(campaign, receipts, connection)))


def read_outcome(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> Outcome:
    """Table I of a campaign all of whose parts are committed, and how many of its faults lower the accuracy."""
    row = _table_one_of_sums(campaign, receipts, connection)
    query = f"SELECT count(*) AS n FROM {stored(campaign.images)} WHERE rank IS NOT NULL AND golden_correct"
    golden_right = int(read_arrays(connection, query)["n"][0])
    fault_id = read_arrays(connection, f"SELECT fault_id FROM {_faults(campaign)} ORDER BY fault_id")["fault_id"]
    sums = _sums(campaign, receipts, fault_id, connection, ("critical", "correct"))
    return Outcome(
        replace(row, critical_faults=int(np.count_nonzero(sums["critical"]))),
        None if row.dropped else int(np.count_nonzero(sums["correct"] < golden_right)),
    )


def _table_one_of_sums(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> TableOneRow:
    """Table I, with the critical faults left to be counted."""
    names = ("non_critical", "critical", "correct", "screened", "dropped")
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in names)
    faults, summaries = _faults(campaign), _fault_summary(campaign, receipts)
    of_weight = read_arrays(connection, f"SELECT {WEIGHT}, count(*) AS faults FROM {faults} GROUP BY 1 ORDER BY 1")
    if len(of_weight["weight"]) > 1:
        by_fault = f"SELECT fault_id, weight FROM {faults}"
        query = f"SELECT {WEIGHT}, {sums} FROM {summaries} JOIN ({by_fault}) USING (fault_id) GROUP BY 1 ORDER BY 1"
    else:  # without looking at each fault, of which there may be millions
        query = f"SELECT {sums} FROM {summaries}"
    counts = read_arrays(connection, query) | of_weight
    golden = read_arrays(connection, f"SELECT golden_correct FROM {stored(campaign.images)} WHERE rank IS NOT NULL")
    return table_one(golden_correct=golden["golden_correct"], **counts)


def _faults(campaign: CampaignLayout) -> str:
    return of_any_format("faults", {}, f"FROM {stored(campaign.faults)}")


def _fault_summary(campaign: CampaignLayout, receipts: Sequence[Receipt]) -> str:
    return stored_rows("fault_summary", *(campaign.part("fault_summary", receipt.part) for receipt in receipts))
