"""How far each layer of a campaign is, from the receipts alone: faults are stored by wave and layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.store.parquet import read_arrays, stored_rows
from engine.store.records import LayerProgress

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt


class LayerReader:
    """The layers of one campaign, and which places in execution order are theirs."""

    def __init__(self, campaign: CampaignLayout, connection: duckdb.DuckDBPyConnection) -> None:
        turns = read_arrays(
            connection,
            "SELECT layer_index, any_value(layer) AS layer, count(*)::BIGINT AS faults "
            f"FROM {stored_rows('faults', campaign.faults)} GROUP BY wave, layer_index ORDER BY wave, layer_index",
        )
        edges = np.concatenate([[0], np.cumsum(turns["faults"])]).tolist()
        self._places: dict[str, list[tuple[int, int]]] = {}
        """of each layer, in each wave: the first of its places in execution order, and the one after the last"""
        for turn in np.argsort(turns["layer_index"], kind="stable"):
            self._places.setdefault(str(turns["layer"][turn]), []).append((edges[turn], edges[turn + 1]))

    def read(self, receipts: list[Receipt], images: int, first_critical: NDArray[np.int32]) -> list[LayerProgress]:
        """The layers in order of execution.

        Args:
            receipts: of the committed parts.
            images: in the workload.
            first_critical: [F] rank at which each fault is critical first, in execution order; `images` where at none.
        """
        return [
            LayerProgress(
                name=name,
                faults=(faults := sum(stop - start for start, stop in places)),
                critical=sum(int((first_critical[start:stop] < images).sum()) for start, stop in places),
                pairs=faults * images,
                pairs_done=sum(
                    max(min(receipt.span.fault_stop, stop) - max(receipt.span.fault_start, start), 0)
                    * receipt.span.images
                    for receipt in receipts
                    for start, stop in places
                ),
            )
            for name, places in self._places.items()
        ]
