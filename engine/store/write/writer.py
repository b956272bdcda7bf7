"""The one writer of a campaign: buffers outcomes, commits them as part sets, seals the campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np

from engine.errors import UnreachableError
from engine.severity import CRITICAL
from engine.store.files import publish, sha256, unfinished, unwritable
from engine.store.layout import PART_TABLES
from engine.store.mend.recovery import recover_parts
from engine.store.parquet import connect, interruptible, write_arrays
from engine.store.records import Receipt, Span
from engine.store.write.part_tables import part_tables, read_fixed
from engine.store.write.seal import Seal, remove_half_sealed

if TYPE_CHECKING:
    from engine.injection.outcomes import Outcomes
    from engine.store.store import Store


class CampaignWriter:
    """Writes the part sets of one campaign; made by `Store.writer` under the store's lock."""

    def __init__(self, store: Store, campaign: int) -> None:
        self._store = store
        self._id = campaign
        self._layout = store.layout.campaign(campaign)
        self._fingerprint = store.state.campaign_row(campaign).fingerprint
        self._buffer: list[tuple[Span, Outcomes]] = []
        self._span: Span | None = None
        self._seal: Seal | None = None
        with connect(threads=1) as connection:
            self._fixed = read_fixed(connection, self._layout)
            store.notes += recover_parts(self._layout, campaign, store.state, connection)
        self.done = [receipt.span for receipt in store.state.receipts(campaign)]
        """the committed spans"""

    @property
    def buffered_pairs(self) -> int:
        return 0 if self._span is None else self._span.pairs

    def add(self, rank_start: int, fault_start: int, outcomes: Outcomes) -> None:
        """Buffer what some whole faults did to a block of images; nothing is on disk before `commit`.

        Args:
            rank_start: rank of the block's first image.
            fault_start: place in execution order of the first fault; must continue what is buffered.

        Raises:
            ValueError: the pairs are not the ones said, or are not next, or are already committed.
        """
        faults, images = outcomes.severity.shape
        span = Span(rank_start, rank_start + images, fault_start, fault_start + faults)
        if not np.array_equal(outcomes.positions, self._fixed.order[span.fault_start : span.fault_stop]):
            raise ValueError(f"{span}: these faults do not stand there in execution order")
        if not _lists_all_critical(outcomes):
            raise ValueError(f"{span}: severity has other critical pairs than critical_fault and critical_image")
        if span.rank_stop > len(self._fixed.image_id):
            raise ValueError(f"{span}: the workload ends at rank {len(self._fixed.image_id)}")
        if any(span.overlaps(other) for other in self.done):
            raise ValueError(f"{span}: some of these pairs are committed already")
        before = self._span or Span(rank_start, span.rank_stop, fault_start, fault_start)
        if (before.rank_start, before.rank_stop, before.fault_stop) != (rank_start, span.rank_stop, fault_start):
            raise ValueError(f"{span} does not continue {before}: commit first")
        self._span = Span(rank_start, span.rank_stop, before.fault_start, span.fault_stop)
        self._buffer.append((span, outcomes))

    def commit(self, seconds: float | None = None) -> Receipt | None:
        """Write what is buffered as one part set; it is there with all its files or not at all.

        Args:
            seconds: what computing it took, for the receipt.

        Returns:
            Its receipt, or None if nothing was buffered.

        Raises:
            UnreachableError: it could not be written (a full disk); it stays buffered, for `commit` to be tried again.
        """
        if self._span is None:
            return None
        part = max([-1, *self._layout.parts("severity")]) + 1
        tables = part_tables(self._fixed, self._span, self._buffer)
        paths = {table: self._layout.part(table, part) for table in PART_TABLES}
        metadata = vars(self._span) | {"fingerprint": self._fingerprint}
        by_fault = tables["fault_summary"]
        masked, non_critical, critical = (int(by_fault[name].sum()) for name in ("masked", "non_critical", "critical"))
        try:
            for table, arrays in tables.items():
                write_arrays(paths[table], table, arrays, metadata)
            hashes = {table: sha256(unfinished(path)) for table, path in paths.items()}
            receipt = Receipt(part, self._span, masked, non_critical, critical, hashes, seconds)
            for path in paths.values():
                publish(path)
            self._store.state.add_receipt(self._id, receipt)
        except (OSError, UnreachableError) as error:
            for path in reversed(paths.values()):  # the severity file first: without it nothing is committed
                path.unlink(missing_ok=True)
                unfinished(path).unlink(missing_ok=True)
            if isinstance(error, UnreachableError):
                raise
            raise unwritable(self._layout.folder, error) from None
        self.done.append(self._span)
        self._buffer, self._span = [], None
        return receipt

    def interrupt(self) -> None:
        """From another thread: have sealing fail, if it is under way; a part is written in a moment."""
        if self._seal is not None:
            self._seal.interrupt()

    def seal(self) -> None:
        """Write campaign.duckdb from the committed parts: the campaign is finished.

        Raises:
            ValueError: some pairs are not committed.
            UnreachableError: it could not be written.
        """
        pairs = len(self._fixed.fault_id) * len(self._fixed.image_id)
        if missing := pairs - sum(span.pairs for span in self.done):
            raise ValueError(f"campaign {self._id} cannot be sealed: {missing} pairs are not committed")
        try:
            with interruptible(), Seal(self._store.layout, self._id, self._fixed) as self._seal:
                hashed = self._seal.write(self._store.state.receipts(self._id))
        except BaseException as error:
            remove_half_sealed(self._layout.sealed)
            if isinstance(error, duckdb.Error | OSError):
                raise unwritable(self._layout.folder, error) from None
            raise
        self._store.set_state(self._id, "finished", sealed_sha256=hashed)


def _lists_all_critical(outcomes: Outcomes) -> bool:
    """Whether the list of critical pairs is in order and says what the severities say."""
    severity, fault, image = outcomes.severity, outcomes.critical_fault, outcomes.critical_image
    ascends = (np.diff(fault * severity.shape[1] + image) > 0).all()
    is_critical = (severity[fault, image] == CRITICAL).all()
    return bool(ascends and is_critical) and np.count_nonzero(severity >= CRITICAL) == len(fault)
