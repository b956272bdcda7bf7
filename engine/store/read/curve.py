"""The detection curve of a campaign, kept up to date by reading each fault summary once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.curve import count_firsts, curve_of
from engine.store.parquet import read_arrays, stored, stored_rows
from engine.store.read.fault_totals import read_fault_summaries
from engine.store.records import CurveData

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt
    from engine.store.state.state import CampaignRow


class CurveReader:
    """First ranks per fault, in execution order, from the parts read so far."""

    def __init__(self, campaign: CampaignLayout, row: CampaignRow, connection: duckdb.DuckDBPyConnection) -> None:
        self._campaign = campaign
        self._row = row
        query = f"SELECT {row.metric} FROM {stored(campaign.images)} WHERE rank IS NOT NULL ORDER BY rank"
        self._metric = read_arrays(connection, query)[row.metric]
        faults = stored_rows("faults", campaign.faults)
        waves = read_arrays(connection, f"SELECT count(*)::BIGINT AS faults FROM {faults} GROUP BY wave ORDER BY wave")
        self._wave_stops = np.cumsum(waves["faults"] if len(waves["faults"]) else np.zeros(1, np.int64))
        """[waves] faults that are run when each of them ends; of a campaign that is not prepared yet one, of none"""
        self._reset()

    def read(self, receipts: list[Receipt], connection: duckdb.DuckDBPyConnection) -> CurveData:
        """The curve over the ranks for which every fault is in, as these receipts have it.

        While a campaign runs in waves, it is of the faults of all waves that are done on all images, or of the first.
        """
        if not self._read <= {_key(receipt) for receipt in receipts}:
            self._reset()  # a part was set aside
        new = [receipt for receipt in receipts if _key(receipt) not in self._read]
        columns = [f"coalesce({name}, {self._row.images}) AS {name}" for name in self._first]
        for receipt, firsts in read_fault_summaries(self._campaign, new, columns, connection):
            self._add(receipt, firsts)
        is_in = self._faults_in == self._wave_stops[:, None]
        wave = max(0, int(is_in[:, :-1].all(axis=1).sum()) - 1)
        faults = int(self._wave_stops[wave])
        counts = self._counts if faults == self._row.faults else self._count(slice(faults))
        done = int(np.argmin(is_in[wave]))  # ranks from 0 on that every fault has run on
        return CurveData(
            **vars(curve_of(faults, *(each[:done] for each in counts))),
            faults=faults,
            images=self._row.images,
            metric_name=self._row.metric,
            metric=self._metric,
            beyond=int(is_in[wave, done:-1].sum()),
        )

    @property
    def first_critical(self) -> NDArray[np.int32]:
        """[F] the rank at which each fault is critical first, as read last, in execution order; W where at none."""
        return self._first["first_critical"]

    def _reset(self) -> None:
        self._read: set[str] = set()
        never = np.full(self._row.faults, self._row.images, np.int32)
        self._first = {name: never.copy() for name in ("first_non_masked", "first_critical", "first_screened")}
        self._counts = [np.zeros(self._row.images, np.int64) for _ in range(3)]
        """[images] each: faults by their first rank that is not masked, that is harmful, and that is critical"""
        self._faults_in = np.zeros((len(self._wave_stops), self._row.images + 1), np.int64)
        """[waves, images + 1] of the faults of all waves up to each one, those that have run on each rank"""

    def _add(self, receipt: Receipt, firsts: dict[str, NDArray[np.int32]]) -> None:
        """Take a part over; what its faults were counted as before is taken back."""
        span = receipt.span
        place = slice(span.fault_start, span.fault_stop)
        before = self._count(place)
        for name, first in self._first.items():
            np.minimum(first[place], firsts[name], out=first[place])
        for counts, was, becomes in zip(self._counts, before, self._count(place), strict=True):
            counts += becomes - was
        in_wave = np.clip(self._wave_stops, span.fault_start, span.fault_stop) - span.fault_start
        self._faults_in[:, span.rank_start : span.rank_stop] += in_wave[:, None]
        self._read.add(_key(receipt))

    def _count(self, place: slice) -> tuple[NDArray[np.int64], ...]:
        """Some faults by first rank: [images] not masked, harmful, and critical."""
        harmful, critical, screened = (first[place] for first in self._first.values())
        firsts = np.minimum(harmful, screened), harmful, critical
        return tuple(count_firsts(first, self._row.images) for first in firsts)


def _key(receipt: Receipt) -> str:
    """Which file was read: a part that is run again has its old number."""
    return receipt.sha256["fault_summary"]
