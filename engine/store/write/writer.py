"""The one writer of a campaign: buffers outcomes, commits them as part sets, seals the campaign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from engine.errors import UnreachableError
from engine.severity import COUNTS, CRITICAL, DROPPED, SCREENED
from engine.store.description import read_description
from engine.store.files import publish, sha256, unfinished, unwritable
from engine.store.parquet import interruptible, write_arrays
from engine.store.part_footer import write_footer
from engine.store.records import SCREENED_BY_CHANGE, Receipt, Span
from engine.store.schema import AUDIT
from engine.store.write.part_tables import OutcomesGroup, audit_counts, part_tables
from engine.store.write.seal import Seal, remove_half_sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.injection.outcomes import Outcomes
    from engine.store.layout import CampaignLayout, Layout
    from engine.store.records import Statistics
    from engine.store.state.state import StateFile
    from engine.store.write.part_tables import Fixed


class CampaignWriter:
    """Writes the part sets of one campaign; made by `Store.writer` under the store's lock."""

    def __init__(
        self, layout: Layout, state: StateFile, campaign: int, fixed: Fixed, on_sealed: Callable[[str], object]
    ) -> None:
        """Know what is committed already.

        Args:
            layout: of the store.
            state: of the store, whose receipts agree with the parts.
            campaign: its id.
            fixed: its faults and images.
            on_sealed: told the hash of the sealed file.
        """
        self._store_layout = layout
        self._state = state
        self._on_sealed = on_sealed
        self._id = campaign
        self._layout = layout.campaign(campaign)
        self._fingerprint = state.campaign_row(campaign).fingerprint
        self._engine = _engine(self._layout)
        self._buffer: list[OutcomesGroup] = []
        self._span: Span | None = None
        self._seal: Seal | None = None
        self.fixed = fixed
        """its faults and images"""
        self.done = [receipt.span for receipt in state.receipts(campaign)]
        """the committed spans"""

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
        if not np.array_equal(outcomes.positions, self.fixed.order[span.fault_start : span.fault_stop]):
            raise ValueError(f"{span}: these faults do not stand there in execution order")
        not_listed = _count_not_listed(outcomes)
        if not_listed is None:
            raise ValueError(f"{span}: severity has other critical pairs than critical_fault and critical_image")
        if not _is_audit_right(outcomes):
            raise ValueError(f"{span}: audited pairs are neither screened nor critical in both")
        if span.rank_stop > len(self.fixed.image_id):
            raise ValueError(f"{span}: the workload ends at rank {len(self.fixed.image_id)}")
        if any(span.overlaps(other) for other in self.done):
            raise ValueError(f"{span}: some of these pairs are committed already")
        before = self._span or Span(rank_start, span.rank_stop, fault_start, fault_start)
        if (before.rank_start, before.rank_stop, before.fault_stop) != (rank_start, span.rank_stop, fault_start):
            raise ValueError(f"{span} does not continue {before}: commit first")
        self._span = Span(rank_start, span.rank_stop, before.fault_start, span.fault_stop)
        self._buffer.append(OutcomesGroup(span, outcomes, is_whole=not_listed == 0))

    def commit(self, seconds: float | None = None, statistics: Statistics | None = None) -> Receipt | None:
        """Write what is buffered as one part set; it is there with all its files or not at all.

        Args:
            seconds: what computing it took, for the receipt.
            statistics: what the method measured of itself meanwhile, for the receipt.

        Returns:
            The receipt of the part set, or None if nothing was buffered.

        Raises:
            UnreachableError: it could not be written (a full disk); it stays buffered, for `commit` to be tried again.
        """
        if self._span is None:
            return None
        part = max([-1, *self._layout.parts("severity")]) + 1
        tables = part_tables(self.fixed, self._span, self._buffer)
        paths = {table: self._layout.part(table, part) for table in tables}
        by_change = sum(group.outcomes.screened_by_change for group in self._buffer)
        counted = {SCREENED_BY_CHANGE: by_change} if by_change else {}
        counts: dict[str, Any] = {name: int(tables["fault_summary"][name].sum()) for name in COUNTS}
        counts |= audit_counts(tables[AUDIT]) if AUDIT in tables else {}
        receipt = Receipt(
            part=part,
            span=self._span,
            seconds=seconds,
            engine=self._engine,
            statistics={**(statistics or {}), **counted},
            **counts,
        )
        try:
            for table, arrays in tables.items():
                write_arrays(paths[table], table, arrays, write_footer(receipt, self._fingerprint))
            receipt = replace(receipt, sha256={table: sha256(unfinished(path)) for table, path in paths.items()})
            for path in paths.values():
                publish(path)
            self._state.add_receipt(self._id, receipt)
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

    def withdraw(self, fault_start: int, fault_stop: int) -> int:
        """Take back every part that holds any of some faults, because their pairs have to be computed again.

        Args:
            fault_start: place in execution order of the first of the faults.
            fault_stop: place after the last one.

        Returns:
            How many pairs are no longer committed.

        Raises:
            UnreachableError: a file could not be removed; what is left of its part is removed by the next run.
        """
        withdrawn = 0
        for receipt in self._state.receipts(self._id):
            span = receipt.span
            if span.fault_start < fault_stop and fault_start < span.fault_stop:
                try:
                    for table in sorted(receipt.sha256, key="severity".__ne__):  # which comes first: the others follow
                        self._layout.part(table, receipt.part).unlink(missing_ok=True)
                except OSError as error:
                    raise unwritable(self._layout.folder, error) from None
                self._state.remove_receipt(self._id, receipt.part)
                self.done.remove(span)
                withdrawn += span.pairs
        self._buffer, self._span = [], None
        return withdrawn

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
        pairs = len(self.fixed.fault_id) * len(self.fixed.image_id)
        if missing := pairs - sum(span.pairs for span in self.done):
            raise ValueError(f"campaign {self._id} cannot be sealed: {missing} pairs are not committed")
        try:
            with (
                interruptible(),
                Seal(self._store_layout, self._state.campaign_row(self._id), self.fixed) as self._seal,
            ):
                hashed = self._seal.write(self._state.receipts(self._id))
        except BaseException as error:
            remove_half_sealed(self._layout.sealed)
            if isinstance(error, duckdb.Error | OSError):
                raise unwritable(self._layout.folder, error) from None
            raise
        self._on_sealed(hashed)


def _count_not_listed(outcomes: Outcomes) -> int | None:
    """Pairs that were not run; None where the list of critical pairs is out of order or not what severities say."""
    severity, fault, image = outcomes.severity, outcomes.critical_fault, outcomes.critical_image
    ascends = (np.diff(fault * severity.shape[1] + image) > 0).all()
    others = int(np.count_nonzero(severity >= CRITICAL)) - len(fault)
    if others and others != np.count_nonzero((severity == SCREENED) | (severity == DROPPED)):
        return None
    return others if ascends and (severity[fault, image] == CRITICAL).all() else None


def _is_audit_right(outcomes: Outcomes) -> bool:
    """Whether the severities say of each audited pair that it is screened, and of a miss that it is critical."""
    audit = outcomes.audit
    if audit is None:
        return True
    expected = np.where(audit.severity == CRITICAL, CRITICAL, SCREENED)
    return np.array_equal(outcomes.severity[audit.fault, audit.image], expected)


def _engine(campaign: CampaignLayout) -> str | None:
    """The version of the code that runs the campaign now, as its campaign.json says."""
    try:
        version = read_description(campaign)["identity"].get("engine")
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return None if version is None else str(version)
