"""What each fault of a campaign has shown so far, kept up to date by reading each fault summary once.

A campaign may have ten million faults and a row for each of them in every block. DuckDB takes 500 bytes for each fault
to add them up; here they are added to arrays of 16 bytes a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.accuracy_cost import MASKED, NONFINITE, FaultEffects
from engine.formats.weight_format import MOST_BITS
from engine.store.parquet import read_arrays, stored, stored_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb
    from numpy.typing import NDArray

    from engine.analysis.accuracy_cost import Effect
    from engine.conditions import Condition
    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt
    from engine.store.state.state import CampaignRow

ROWS_AT_ONCE = 4_000_000
"""of fault summaries, read together: few queries where parts are small, little memory where they are large"""


def read_fault_summaries(
    campaign: CampaignLayout, receipts: Sequence[Receipt], columns: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[Receipt, dict[str, NDArray[Any]]]]:
    """Columns of the fault summary of each part, [faults] in execution order.

    Args:
        campaign: whose parts they are.
        receipts: of the parts.
        columns: expressions with names, for SELECT.
        connection: keeps the order of rows, as `connect()` does.

    Raises:
        ValueError: a file has other rows than its part.
    """
    ends = np.cumsum([receipt.span.faults for receipt in receipts])
    cuts = np.flatnonzero(np.diff(ends // ROWS_AT_ONCE)) + 1
    for start, stop in pairwise(sorted({0, *cuts.tolist(), len(receipts)})):
        some = receipts[start:stop]
        files = stored_rows("fault_summary", *(campaign.part("fault_summary", receipt.part) for receipt in some))
        arrays = read_arrays(connection, f"SELECT {', '.join(columns)} FROM {files}")
        row = 0
        for receipt in some:
            rows = slice(row, row := row + receipt.span.faults)
            yield receipt, {name: column[rows] for name, column in arrays.items()}
        if any(len(column) != row for column in arrays.values()):
            raise ValueError(f"{campaign.folder}: the fault summaries do not have the faults of their parts")


@dataclass(frozen=True, eq=False)
class LayerBitCounts:
    """Counts by layer and bit, [layers, bits of the widest format]."""

    faults: NDArray[np.int64]
    """faults that were drawn"""
    run: NDArray[np.int64]
    """faults that are in some part"""
    critical_faults: NDArray[np.int64]
    """faults that are critical for at least one image"""
    pairs: NDArray[np.int64]
    """pairs in the parts: run, screened or dropped"""
    critical: NDArray[np.int64]
    """critical pairs"""
    screened: NDArray[np.int64]
    """pairs that were not run, because a bound calls them safe"""


class FaultTotals:
    """What is known of the faults of one campaign, whose greatest fault_id is I - 1: arrays [I] by fault_id.

    They have room for ids that the campaign does not have.
    """

    def __init__(self, campaign: CampaignLayout, row: CampaignRow, connection: duckdb.DuckDBPyConnection) -> None:
        self._campaign = campaign
        self.never = row.images
        """the rank of a fault that is critical at none"""
        faults = read_arrays(
            connection, f"SELECT fault_id, layer_index::USMALLINT AS layer, bit FROM {stored(campaign.faults)}"
        )
        self.layers = int(faults["layer"].max(initial=0)) + 1
        ids = int(faults["fault_id"].max(initial=0)) + 1
        images = read_arrays(
            connection,
            f"SELECT image_id::BIGINT AS image_id, coalesce(rank, {self.never}) AS rank, golden_correct "
            f"FROM {stored(campaign.images)} ORDER BY rank",
        )
        ran = images["golden_correct"][images["rank"] < self.never]
        self._right_before = np.concatenate([[0], np.cumsum(ran)])
        """[W + 1] images before each rank that golden has right"""
        self.data_set = len(images["rank"])
        """images that the workload was selected from"""
        self._right_images = images["image_id"][images["golden_correct"]]
        self._nowhere = self.layers * MOST_BITS
        self._cell = np.full(ids, self._nowhere, np.min_scalar_type(self._nowhere))
        self._cell[faults["fault_id"]] = faults["layer"].astype(self._cell.dtype) * MOST_BITS + faults["bit"]
        self._reset()

    def _reset(self) -> None:
        self._read: set[str] = set()
        self.critical = np.zeros(len(self._cell), np.int32)
        """[I] images that each fault is critical for"""
        self.first_critical = np.full(len(self._cell), self.never, np.int32)
        """[I] rank of the first image that each fault is critical for; `never` where there is none"""
        self._cost = np.zeros(len(self._cell), np.int32)
        """[I] images that golden has right, fewer those that are right under the fault"""
        self._is_right_lost = np.zeros(len(self._cell), np.bool_)
        """[I] whether golden has an image right that is wrong under the fault, in the parts whose pairs were read"""
        self._is_nonfinite = np.zeros(len(self._cell), np.bool_)
        """[I] whether some image has a logit that is not finite under the fault, in the parts whose pairs were read"""
        self._is_seen = np.zeros(len(self._cell), np.bool_)
        """[I] whether an image of a fault is not masked, or was not run"""
        self._read_pairs: set[str] = set()
        """hashes of the parts whose critical pairs were read"""
        self.is_run = np.zeros(len(self._cell), np.bool_)
        """[I] whether a fault is in some part"""
        self.is_screened = np.zeros(len(self._cell), np.bool_)
        """[I] whether an image of a fault is screened"""
        self._pairs, self._critical, self._screened = (np.zeros(self._nowhere + 1, np.int64) for _ in range(3))

    def read(self, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection) -> None:
        """Bring it up to date with these parts."""
        keys = {receipt.sha256["fault_summary"] for receipt in receipts}
        if not self._read <= keys:
            self._reset()  # a part was set aside
        new = [receipt for receipt in receipts if receipt.sha256["fault_summary"] not in self._read]
        columns = (
            "fault_id",
            "masked",
            "critical",
            "correct",
            "screened",
            f"coalesce(first_critical, {self.never}) AS first_critical",
        )
        for receipt, rows in read_fault_summaries(self._campaign, new, columns, connection):
            self._add(receipt, rows)
            self._read.add(receipt.sha256["fault_summary"])

    def _add(self, receipt: Receipt, rows: dict[str, NDArray[Any]]) -> None:
        fault_id = rows["fault_id"]
        cell, cells = self._cell[fault_id], self._nowhere + 1
        self._pairs += np.bincount(cell, minlength=cells) * receipt.span.images
        self.is_run[fault_id] = True
        self._is_seen[fault_id] |= rows["masked"] < receipt.span.images
        if receipt.critical:
            self._critical += _sums(cell, rows["critical"], cells)
            self.critical[fault_id] += rows["critical"]
            start, stop = receipt.span.ranks
            right = self._right_before[stop] - self._right_before[start]
            self._cost[fault_id] += (right - rows["correct"]).astype(np.int32)
            self.first_critical[fault_id] = np.minimum(self.first_critical[fault_id], rows["first_critical"])
        if receipt.screened:
            self._screened += _sums(cell, rows["screened"], cells)
            self.is_screened[fault_id] |= rows["screened"] > 0

    def read_pairs(self, receipts: Sequence[Receipt], connection: duckdb.DuckDBPyConnection) -> None:
        """Learn from the critical pairs of these parts, which `read` has read, what the counts do not tell.

        That is which faults make a right answer wrong, and which lead to outputs that are not finite. The pairs may be
        many millions, so that it is done only where somebody asks for it.
        """
        for receipt in receipts:
            key = receipt.sha256["fault_summary"]
            if receipt.critical and key not in self._read_pairs:
                file = stored(self._campaign.part("critical", receipt.part))
                pairs = read_arrays(connection, f"SELECT fault_id, image_id, nonfinite FROM {file}")
                self._is_right_lost[pairs["fault_id"][np.isin(pairs["image_id"], self._right_images)]] = True
                self._is_nonfinite[pairs["fault_id"][pairs["nonfinite"]]] = True
            self._read_pairs.add(key)

    def effects(self) -> FaultEffects:
        """What each fault does so far, [I], over the whole workload: an image that was not run is as without fault."""
        return FaultEffects(self.critical, self._cost, self._is_right_lost, self.never)

    def have(self, effect: Effect) -> NDArray[np.bool_]:
        """Which faults have an effect, [I]."""
        if effect == NONFINITE:
            return self._is_nonfinite
        if effect == MASKED:
            return self.is_run & ~self._is_seen
        return self.effects().have(effect)

    def meet(self, condition: Condition, layers: Sequence[str]) -> NDArray[np.bool_]:
        """Which faults meet a condition on a field of `FAULT_FIELDS`, [I].

        Args:
            condition: of a fault; where only critical pairs tell, these have been read.
            layers: names of all layers.
        """
        match condition.field.name:
            case "layer":
                names = np.array([*layers, ""], object)
                of_layer: NDArray[np.bool_] = condition.holds(names)[np.minimum(self._cell // MOST_BITS, len(layers))]
                return of_layer
            case "bit":
                return condition.holds(self._cell % MOST_BITS)
            case "cost":
                return condition.holds(100 * self._cost / self.never)
            case "lost":
                return condition.holds(self._is_right_lost)
            case "nonfinite":
                return condition.holds(self._is_nonfinite)
            case _:
                return condition.holds(self.critical)

    @property
    def golden_right(self) -> int:
        """Images of the workload that golden has right."""
        return int(self._right_before[-1])

    def by_cell(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the chosen faults, [I], are of each layer and bit, [layers, bits of the widest format]."""
        counts = np.bincount(self._cell[chosen], minlength=self._nowhere + 1)
        return counts[: self._nowhere].reshape(self.layers, MOST_BITS)

    def of_its_cell(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """The value of each fault's layer and bit, [I]; 0 for ids that the campaign does not have.

        Args:
            values: [layers or more, bits of the weights' format].
        """
        flat = np.zeros(self._nowhere + 1, np.int32)
        flat[:-1].reshape(self.layers, MOST_BITS)[:, : values.shape[1]] = values[: self.layers]
        return flat[self._cell]

    def by_layer_and_bit(self) -> LayerBitCounts:
        """The counts by layer and bit."""
        kinds = (np.ones(len(self._cell), np.bool_), self.is_run, self.critical > 0)
        pairs = (self._pairs, self._critical, self._screened)
        shape = self.layers, MOST_BITS
        return LayerBitCounts(*map(self.by_cell, kinds), *(counts[: self._nowhere].reshape(shape) for counts in pairs))

    def members(self, layer: int | None, bit: int | None) -> NDArray[np.int64]:
        """The ids of the n faults of a layer, a bit or both, or of all, [n] ascending."""
        cells = np.zeros(self._nowhere + 1, np.bool_)
        place = slice(None) if layer is None else layer, slice(None) if bit is None else bit
        cells[:-1].reshape(self.layers, MOST_BITS)[place] = True
        return np.flatnonzero(cells[self._cell])


def _sums(cell: NDArray[np.integer], counts: NDArray[np.int32], cells: int) -> NDArray[np.int64]:
    """Counts added up by cell, [cells]; below 2**53 floats are exact."""
    return np.bincount(cell, counts, cells).astype(np.int64)
