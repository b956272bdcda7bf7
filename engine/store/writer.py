"""The one writer of a campaign: buffers outcomes, commits them as part sets, seals the campaign."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from engine.errors import UnreachableError
from engine.faults.order import execution_order
from engine.store.files import publish, sha256, unfinished, unwritable
from engine.store.layout import CRITICAL, MASKED, PART_TABLES
from engine.store.pairs import counts
from engine.store.parquet import connect, interruptible, read_arrays, sql_path, write_unfinished
from engine.store.records import Receipt, Span
from engine.store.recovery import recover_parts
from engine.store.seal import remove_half_sealed, write_sealed

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self

    from numpy.typing import NDArray

    from engine.injection.outcomes import Outcomes
    from engine.store.store import Store

    Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Fixed:
    """What the writer needs to know of a campaign's F faults and W images."""

    order: NDArray[np.int64]
    """[F] positions in execution order"""
    fault_id: NDArray[np.uint32]
    """[F] in execution order"""
    image_id: NDArray[np.uint32]
    """[W] in rank order, like the next two"""
    label: NDArray[np.int64]
    golden_correct: NDArray[np.bool_]


class CampaignWriter:
    """Writes the part sets of one campaign; made by `Store.writer` under the store's lock."""

    def __init__(self, store: Store, campaign: int) -> None:
        self._store = store
        self._id = campaign
        self._layout = store.layout.campaign(campaign)
        self._fingerprint = store.state.campaign_row(campaign).fingerprint
        self._connection = connect(threads=1)
        self._fixed = _read_fixed(self._connection, self._layout.faults, self._layout.images)
        self._buffer: list[Outcomes] = []
        self._span: Span | None = None
        store.notes += recover_parts(self._layout, campaign, store.state, self._connection)
        self.done = [receipt.span for receipt in store.state.receipts(campaign)]
        """the committed spans"""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

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
        if np.count_nonzero(outcomes.severity == CRITICAL) != len(outcomes.critical_fault):
            raise ValueError(f"{span}: severity has other critical pairs than critical_fault and critical_image")
        if span.rank_stop > len(self._fixed.image_id):
            raise ValueError(f"{span}: the workload ends at rank {len(self._fixed.image_id)}")
        if any(span.overlaps(other) for other in self.done):
            raise ValueError(f"{span}: some of these pairs are committed already")
        if self._span is not None:
            before = self._span
            if (before.rank_start, before.rank_stop, before.fault_stop) != (rank_start, span.rank_stop, fault_start):
                raise ValueError(f"{span} does not continue {before}: commit first")
            span = Span(rank_start, span.rank_stop, before.fault_start, span.fault_stop)
        self._span = span
        self._buffer.append(outcomes)

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
        outcomes = _joined(self._buffer)
        tables = self._tables(self._span, outcomes)
        paths = {table: self._layout.part(table, part) for table in PART_TABLES}
        metadata = vars(self._span) | {"fingerprint": self._fingerprint}
        masked, non_critical, critical = np.bincount(outcomes.severity.ravel(), minlength=3).tolist()
        try:
            hashes = {}
            with interruptible():
                for table, path in paths.items():
                    hashes[table] = sha256(write_unfinished(self._connection, path, table, tables[table], metadata))
            receipt = Receipt(part, self._span, masked, non_critical, critical, hashes, seconds)
            for path in paths.values():
                publish(path)
            self._store.state.add_receipt(self._id, receipt)
        except (duckdb.Error, OSError, UnreachableError) as error:
            for path in reversed(paths.values()):  # the severity file first: without it nothing is committed
                path.unlink(missing_ok=True)
                unfinished(path).unlink(missing_ok=True)
            if isinstance(error, UnreachableError):
                raise
            raise unwritable(self._layout.folder, error) from None
        self.done.append(self._span)
        self._buffer, self._span = [], None
        return receipt

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
            with interruptible():
                hashed = write_sealed(self._store.layout, self._id, self._store.state.receipts(self._id))
        except BaseException as error:
            remove_half_sealed(self._layout.sealed)
            if isinstance(error, duckdb.Error | OSError):
                raise unwritable(self._layout.folder, error) from None
            raise
        self._store.set_state(self._id, "finished", sealed_sha256=hashed)

    def _tables(self, span: Span, outcomes: Outcomes) -> dict[str, Columns]:
        """The columns of the four files."""
        fault_id = self._fixed.fault_id[span.fault_start : span.fault_stop]
        image_id = self._fixed.image_id[span.rank_start : span.rank_stop]
        severity = outcomes.severity
        critical: Columns = {
            "fault_id": fault_id[outcomes.critical_fault],
            "image_id": image_id[outcomes.critical_image],
            "prediction": outcomes.prediction,
            "nonfinite": outcomes.nonfinite,
        }
        by_image: Columns = {"image_id": image_id, **counts(severity, axis=0)}
        by_fault: Columns = {
            "fault_id": fault_id,
            **counts(severity, axis=1),
            "correct": self._correct(span, outcomes),
            "first_non_masked": _first(severity != MASKED, span.rank_start),
            "first_critical": _first(severity == CRITICAL, span.rank_start),
        }
        pairs: Columns = {
            "fault_id": np.repeat(fault_id, span.images),
            "image_id": np.tile(image_id, span.faults),
            "severity": severity.ravel(),
        }
        return {"fault_summary": by_fault, "image_summary": by_image, "critical": critical, "severity": pairs}

    def _correct(self, span: Span, outcomes: Outcomes) -> NDArray[np.int64]:
        """Images classified correctly under each fault, [faults]: golden's, but for the critical pairs."""
        golden = self._fixed.golden_correct[span.rank_start : span.rank_stop]
        label = self._fixed.label[span.rank_start : span.rank_stop]
        right = (outcomes.prediction == label[outcomes.critical_image]) & ~outcomes.nonfinite
        change = right.astype(np.int64) - golden[outcomes.critical_image]
        changes = np.bincount(outcomes.critical_fault, weights=change, minlength=span.faults)
        return changes.astype(np.int64) + np.count_nonzero(golden)


def _read_fixed(connection: duckdb.DuckDBPyConnection, faults: Path, images: Path) -> Fixed:
    channel = r"regexp_extract(tensor_index, '\d+')::BIGINT AS channel"
    fault = read_arrays(
        connection, f"SELECT fault_id, layer_index::BIGINT AS layer, {channel} FROM read_parquet({sql_path(faults)})"
    )
    order = execution_order(fault["layer"], fault["channel"], fault["fault_id"])
    image = read_arrays(
        connection,
        f"SELECT image_id, label::BIGINT AS label, golden_correct FROM read_parquet({sql_path(images)}) "
        "WHERE rank IS NOT NULL ORDER BY rank",
    )
    return Fixed(order, fault["fault_id"][order], image["image_id"], image["label"], image["golden_correct"])


def _joined(buffer: list[Outcomes]) -> Outcomes:
    """Outcomes of consecutive faults as one."""
    starts = np.cumsum([0, *(len(outcomes.severity) for outcomes in buffer[:-1])])
    fields = ("positions", "severity", "critical_image", "prediction", "nonfinite")
    return replace(
        buffer[0],
        **{name: np.concatenate([getattr(outcomes, name) for outcomes in buffer]) for name in fields},
        critical_fault=np.concatenate([o.critical_fault + start for o, start in zip(buffer, starts, strict=True)]),
    )


def _first(seen: NDArray[np.bool_], rank_start: int) -> NDArray[np.int64]:
    """Rank of the first True of each row, masked (NULL) where there is none."""
    return np.ma.masked_array(seen.argmax(axis=1) + rank_start, mask=~seen.any(axis=1))
