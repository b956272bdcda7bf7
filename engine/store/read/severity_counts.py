"""What a campaign has found: its critical faults so far, and its row of Table I."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.tables import TableOneRow, table_one
from engine.store.parquet import of_any_format, read_arrays, stored, stored_rows
from engine.store.read.summary import WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt


def count_critical_faults(
    campaign: CampaignLayout, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection
) -> int:
    """Faults that are critical for at least one image, in the committed parts."""
    return len(read_critical_faults(campaign, receipts, connection))


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
