"""What each image of a campaign shows of its faults, kept up to date by reading each image summary once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.severity import COUNTS
from engine.store.parquet import read_arrays, stored, stored_rows
from engine.store.records import ImageCounts

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt
    from engine.store.state.state import CampaignRow


class ImageCountsReader:
    """Counts per image in rank order, from the parts read so far."""

    def __init__(self, campaign: CampaignLayout, row: CampaignRow, connection: duckdb.DuckDBPyConnection) -> None:
        self._campaign = campaign
        self._row = row
        images = read_arrays(
            connection,
            f"SELECT image_id::BIGINT AS image_id, coalesce(rank, -1)::BIGINT AS rank, {row.metric} AS metric "
            f"FROM {stored(campaign.images)} ORDER BY image_id",
        )
        self._rank_of = images["rank"]
        self._image_id = np.flatnonzero(self._rank_of >= 0)[np.argsort(self._rank_of[self._rank_of >= 0])]
        self._metric = images["metric"][self._image_id]
        self._read: set[str] = set()
        self._counts = self._none()

    def read(self, receipts: list[Receipt], connection: duckdb.DuckDBPyConnection) -> ImageCounts:
        """The counts as these receipts have them."""
        keys = {receipt.sha256["image_summary"] for receipt in receipts}
        if not self._read <= keys:
            self._read, self._counts = set(), self._none()  # a part was set aside
        new = [receipt for receipt in receipts if receipt.sha256["image_summary"] not in self._read]
        if new:
            files = stored_rows(
                "image_summary", *(self._campaign.part("image_summary", receipt.part) for receipt in new)
            )
            sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in COUNTS)
            query = f"SELECT image_id::BIGINT AS image_id, {sums} FROM {files} GROUP BY image_id"
            arrays = read_arrays(connection, query)
            for name, counts in self._counts.items():
                counts[self._rank_of[arrays["image_id"]]] += arrays[name]
            self._read = keys
        return ImageCounts(
            faults=self._row.faults,
            data_set=len(self._rank_of),
            metric_name=self._row.metric,
            image_id=self._image_id,
            metric=self._metric,
            **{name: counts.copy() for name, counts in self._counts.items()},
        )

    def _none(self) -> dict[str, NDArray[np.int64]]:
        return {name: np.zeros(self._row.images, np.int64) for name in COUNTS}
