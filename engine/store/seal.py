"""The sealed campaign: one DuckDB file with native tables, which needs nothing else of the store."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from engine.store.catalogue import attach, create_views
from engine.store.files import publish, sha256, unfinished
from engine.store.pairs import read_pairs
from engine.store.parquet import connect, sql_text
from engine.store.state import now
from engine.store.views import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout, Layout
    from engine.store.pairs import PartPairs
    from engine.store.records import Receipt

INSERT_ROWS = 8_000_000
"""inserted at once, in 0.1 GB: more is smaller on disk, fewer is no faster"""


def write_sealed(layout: Layout, campaign: int, receipts: list[Receipt]) -> str:
    """Write campaign.duckdb from the committed parts.

    Returns:
        Its sha256.

    Raises:
        ValueError: a part does not hold the pairs of its receipt.
    """
    path = layout.campaign(campaign).sealed
    target = unfinished(path)
    remove_half_sealed(path)
    with connect(preserve_insertion_order=False) as connection:
        create_views(connection, layout)
        attach(connection, target, "sealed")
        for table in (*TABLES, "curve"):
            columns = "*"
            if table == "campaigns":
                # sealed is finished: the file says so itself, before state.sqlite and campaign.json do
                columns = f"* REPLACE ('finished' AS state, {sql_text(now())}::TIMESTAMP AS finished)"
            query = f"SELECT {columns} FROM memory.{table} WHERE campaign = {campaign}"
            rows = "LIMIT 0" if table == "severity" else ""
            connection.execute(f"CREATE TABLE sealed.{table} AS {query} {rows}")
        for pairs in _severities(layout.campaign(campaign), receipts):
            connection.register("pairs", pairs)
            connection.execute(
                f"INSERT INTO sealed.severity SELECT {campaign}, fault_id, image_id, severity FROM pairs"
            )
            connection.unregister("pairs")
        connection.execute("DETACH sealed")
    publish(path)
    return sha256(path)


def remove_half_sealed(path: Path) -> None:
    """Delete what sealing left that did not come to its end, DuckDB's own log with it: that takes the most room."""
    target = unfinished(path)
    for left in (target, target.with_name(f"{target.name}.wal")):
        left.unlink(missing_ok=True)


def _severities(campaign: CampaignLayout, receipts: list[Receipt]) -> Iterator[dict[str, NDArray[Any]]]:
    """The columns of all pairs, block by block and image by image.

    Native columns compress four times better so than fault by fault, and turning a block here takes half as long as
    sorting it in DuckDB.
    """
    by_block = sorted(receipts, key=lambda receipt: receipt.span)
    with connect() as connection:
        for _, block in groupby(by_block, key=lambda receipt: (receipt.span.rank_start, receipt.span.rank_stop)):
            parts = [read_pairs(connection, campaign.part("severity", receipt.part), receipt.span) for receipt in block]
            yield from _by_image(parts)


def _by_image(parts: Sequence[PartPairs]) -> Iterator[dict[str, NDArray[Any]]]:
    """The pairs of some faults each on the same images, by image and then by fault."""
    fault_id = np.concatenate([part.fault_id for part in parts])
    rows, columns = np.argsort(fault_id), np.argsort(parts[0].image_id)
    fault_id, image_id = fault_id[rows], parts[0].image_id[columns]
    severity = np.concatenate([part.severity for part in parts])[rows]
    step = max(1, INSERT_ROWS // len(fault_id))
    for images in (slice(start, start + step) for start in range(0, len(image_id), step)):
        yield {
            "fault_id": np.tile(fault_id, len(image_id[images])),
            "image_id": np.repeat(image_id[images], len(fault_id)),
            "severity": severity[:, columns[images]].T.ravel(),
        }
