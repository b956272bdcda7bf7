"""How far each layer of a campaign is, from the receipts alone: faults are stored by layer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.store.parquet import read_arrays, stored
from engine.store.records import LayerProgress

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt


class LayerReader:
    """The layers of one campaign, and which places in execution order are theirs."""

    def __init__(self, campaign: CampaignLayout, connection: duckdb.DuckDBPyConnection) -> None:
        layers = read_arrays(
            connection,
            "SELECT any_value(layer) AS layer, count(*)::BIGINT AS faults "
            f"FROM {stored(campaign.faults)} GROUP BY layer_index ORDER BY layer_index",
        )
        self._names = [str(name) for name in layers["layer"]]
        self._edges = np.concatenate([[0], np.cumsum(layers["faults"])]).tolist()

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
                faults=stop - start,
                critical=int((first_critical[start:stop] < images).sum()),
                pairs=(stop - start) * images,
                pairs_done=sum(
                    max(min(receipt.span.fault_stop, stop) - max(receipt.span.fault_start, start), 0)
                    * receipt.span.images
                    for receipt in receipts
                ),
            )
            for name, (start, stop) in zip(self._names, pairwise(self._edges), strict=True)
        ]
