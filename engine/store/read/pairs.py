"""The pairs of one part, read back as the matrix they were computed as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.severity import SEVERITIES
from engine.store.files import sha256
from engine.store.parquet import read_arrays, stored

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt, Span


@dataclass(frozen=True, eq=False)
class PartPairs:
    """What F faults did to I images."""

    fault_id: NDArray[np.uint32]
    """[F] in execution order"""
    image_id: NDArray[np.uint32]
    """[I] in rank order"""
    severity: NDArray[np.uint8]
    """[F, I]"""


def counts(severity: NDArray[np.uint8], axis: int) -> dict[str, NDArray[np.int64]]:
    """Pairs of each severity along one axis."""
    return {name: np.count_nonzero(severity == value, axis=axis) for value, name in enumerate(SEVERITIES)}


def read_pairs(connection: duckdb.DuckDBPyConnection, path: Path, span: Span) -> PartPairs:
    """Read one severity file.

    Args:
        connection: keeps the order of rows, as `connect()` does.

    Raises:
        ValueError: the file does not hold each fault of its span with each image, fault after fault.
    """
    query = f"SELECT fault_id, image_id, severity FROM {stored(path)}"
    columns = read_arrays(connection, query)
    if len(columns["severity"]) != span.pairs:
        raise ValueError(f"{path}: {len(columns['severity'])} rows instead of {span.pairs}")
    fault_id, image_id, severity = (column.reshape(span.faults, span.images) for column in columns.values())
    if (fault_id != fault_id[:, :1]).any() or (image_id != image_id[:1]).any():
        raise ValueError(f"{path}: not each fault with each image, fault after fault")
    return PartPairs(fault_id[:, 0], image_id[0], severity)


def read_severity(
    connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout, receipt: Receipt
) -> NDArray[np.uint8]:
    """The severities of a committed part, [F, I] in execution order and rank order; the ids follow from its span.

    Args:
        connection: keeps the order of rows, as `connect()` does.

    Raises:
        ValueError: the file is not the one that was committed.
    """
    path = campaign.part("severity", receipt.part)
    if sha256(path) != receipt.sha256["severity"]:
        raise ValueError(f"{path}: damaged; `dear-tui verify` sets it aside, and the next run computes it again")
    query = f"SELECT severity FROM {stored(path)}"
    return read_arrays(connection, query)["severity"].reshape(receipt.span.faults, receipt.span.images)
