"""The pairs of one part, read back as the matrix they were computed as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.severity import SEVERITIES
from engine.store.files import sha256
from engine.store.parquet import read_arrays, stored

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.records import Receipt


NOT_RUN = 255
"""In place of a severity, of a pair that has no row."""


@dataclass(frozen=True, eq=False)
class PartPairs:
    """What F faults did to I images."""

    fault_id: NDArray[np.uint32]
    """[F] in execution order"""
    image_id: NDArray[np.uint32]
    """[I] in rank order"""
    severity: NDArray[np.uint8]
    """[F, I] the severity of each pair, NOT_RUN of one without a row"""


def counts(severity: NDArray[np.uint8], axis: int) -> dict[str, NDArray[np.int64]]:
    """Pairs of each severity along one axis of `severity` [F, I], of those that were run: name -> [F] or [I].

    >>> counts(np.array([[0, 2], [NOT_RUN, 2]], np.uint8), axis=1)["critical"].tolist()
    [1, 1]
    """
    return {name: np.count_nonzero(severity == code, axis=axis) for code, name in enumerate(SEVERITIES)}


def read_pairs(connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout, receipt: Receipt) -> PartPairs:
    """Read the severity file of one part.

    Args:
        connection: keeps the order of rows, as `connect()` does.
        campaign: whose part it is.
        receipt: of the part.

    Raises:
        ValueError: the file does not hold each pair of its span that was run once, fault after fault.
    """
    path, span = campaign.part("severity", receipt.part), receipt.span
    query = f"SELECT fault_id, image_id, severity FROM {stored(path)}"
    columns = read_arrays(connection, query)
    if len(columns["severity"]) != receipt.count_run():
        raise ValueError(f"{path}: {len(columns['severity'])} rows instead of {receipt.count_run()}")
    if receipt.count_run() < span.pairs:
        return _placed(connection, campaign, receipt, columns)
    fault_id, image_id, severity = (column.reshape(span.faults, span.images) for column in columns.values())
    if (fault_id != fault_id[:, :1]).any() or (image_id != image_id[:1]).any():
        raise ValueError(f"{path}: not each fault with each image, fault after fault")
    return PartPairs(fault_id[:, 0], image_id[0], severity)


def read_severity(
    connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout, receipt: Receipt
) -> NDArray[np.uint8]:
    """The severities of a committed part, [F, I] in execution order and rank order; NOT_RUN of pairs without a row.

    Args:
        connection: keeps the order of rows, as `connect()` does.

    Raises:
        ValueError: the file is not the one that was committed.
    """
    path = checked_severity(campaign, receipt)
    if receipt.count_run() < receipt.span.pairs:
        return read_pairs(connection, campaign, receipt).severity
    query = f"SELECT severity FROM {stored(path)}"
    return read_arrays(connection, query)["severity"].reshape(receipt.span.faults, receipt.span.images)


def checked_severity(campaign: CampaignLayout, receipt: Receipt) -> Path:
    """The severity file of a committed part.

    Raises:
        ValueError: it is not the one that was committed.
    """
    path = campaign.part("severity", receipt.part)
    if sha256(path) != receipt.sha256["severity"]:
        raise ValueError(f"{path}: damaged; `dear-tui verify` sets it aside, and the next run computes it again")
    return path


def _placed(
    connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout, receipt: Receipt, rows: dict[str, NDArray[Any]]
) -> PartPairs:
    """The pairs of a part of which some were not run: the summaries have a row for every fault and every image.

    Raises:
        ValueError: the rows are not in order, or are of other faults or images.
    """
    path, span = campaign.part("severity", receipt.part), receipt.span
    ids = {}
    for table, name in (("fault_summary", "fault_id"), ("image_summary", "image_id")):
        query = f"SELECT {name} FROM {stored(campaign.part(table, receipt.part))}"
        ids[name] = read_arrays(connection, query)[name]
    if (len(ids["fault_id"]), len(ids["image_id"])) != (span.faults, span.images):
        raise ValueError(f"{path}: its summaries are not of {span.faults} faults and {span.images} images")
    fault, image = (places(ids[name], rows[name]) for name in ids)
    if not (np.diff(fault * span.images + image) > 0).all() or (fault < 0).any() or (image < 0).any():
        raise ValueError(f"{path}: not each pair once, fault after fault")
    severity = np.full((span.faults, span.images), NOT_RUN, np.uint8)
    severity[fault, image] = rows["severity"]
    return PartPairs(ids["fault_id"], ids["image_id"], severity)


def places(ids: NDArray[np.uint32], wanted: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where each wanted id stands among `ids` [n], n > 0: an array of the shape of `wanted`; -1 where it does not.

    >>> places(np.array([7, 3], np.uint32), np.array([3, 4], np.uint32)).tolist()
    [1, -1]
    """
    order = np.argsort(ids)
    place = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[place] == wanted, place, -1)
