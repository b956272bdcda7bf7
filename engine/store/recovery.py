"""What a killed process, a lost state.sqlite or a damaged part left behind, and how the store goes on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from engine.store.description import read_row
from engine.store.files import remove_unfinished, sha256
from engine.store.layout import CRITICAL, MASKED, NON_CRITICAL, PART_TABLES
from engine.store.parquet import sql_path
from engine.store.records import Receipt, Span

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store.layout import CampaignLayout, Layout
    from engine.store.state import CampaignRow, StateFile


def adopt_campaigns(layout: Layout, state: StateFile) -> list[int]:
    """Enter the campaigns that are on disk but not in state.sqlite, because it was lost; their ids."""
    known = set(state.campaign_ids())
    adopted = []
    for campaign in layout.campaign_ids():
        if campaign in known:
            continue
        try:
            row = read_row(layout.campaign(campaign))
        except (KeyError, TypeError, ValueError, OSError):
            continue  # a foreign folder: nothing of ours is in it
        if row.id == campaign:
            sealed = layout.campaign(campaign).sealed
            state.add_campaign(row, sha256(sealed) if sealed.exists() else None)
            adopted.append(campaign)
    return adopted


def recover_parts(
    campaign: CampaignLayout, number: int, state: StateFile, connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """Make parts and receipts agree: afterwards every part set has its receipt, and nothing else is read.

    A set without its severity file was never committed and is deleted; a set that is damaged is set aside as `*.bad`.

    Returns:
        A sentence for what could not be verified and for what must be run again.
    """
    remove_unfinished(campaign.folder)
    on_disk = set(campaign.parts("severity"))
    for table in PART_TABLES[:-1]:
        for part in set(campaign.parts(table)) - on_disk:
            campaign.part(table, part).unlink()
    receipts = {receipt.part: receipt for receipt in state.receipts(number)}
    bad, rebuilt = [], 0
    for part in sorted(on_disk | receipts.keys()):
        receipt = receipts.get(part)
        if receipt is not None and _hashes(campaign, part) == receipt.sha256:
            continue
        if receipt is not None:
            state.remove_receipt(number, part)
        else:
            receipt = _rebuild(campaign, part, state.campaign_row(number), connection)
            known = [other.span for other in state.receipts(number)]
            if receipt is not None and not any(receipt.span.overlaps(span) for span in known):
                state.add_receipt(number, receipt)
                rebuilt += 1
                continue
        _set_aside(campaign, part)
        bad.append(part)
    notes = []
    if bad:
        parts = ", ".join(map(str, bad))
        notes.append(f"{campaign.folder}: part {parts} damaged or incomplete, set aside as .bad; its pairs run again")
    if rebuilt:
        notes.append(f"{campaign.folder}: receipts of {rebuilt} parts were rebuilt; their content cannot be verified")
    return notes


def _hashes(campaign: CampaignLayout, part: int) -> dict[str, str]:
    """Table -> hash, of the files of the set that are there."""
    paths = {table: campaign.part(table, part) for table in PART_TABLES}
    return {table: sha256(path) for table, path in paths.items() if path.is_file()}


def _rebuild(
    campaign: CampaignLayout, part: int, row: CampaignRow, connection: duckdb.DuckDBPyConnection
) -> Receipt | None:
    """A receipt from the part set itself; None if the set is not whole or not this campaign's."""
    hashes = _hashes(campaign, part)
    if hashes.keys() != set(PART_TABLES):
        return None
    try:
        metadata = {table: _metadata(campaign.part(table, part), connection) for table in PART_TABLES}
        kept = metadata["severity"]
        if any(other != kept for other in metadata.values()) or kept.pop("fingerprint") != row.fingerprint:
            return None
        span = Span(**{name: int(value) for name, value in kept.items()})
        file = sql_path(campaign.part("severity", part))
        counts = ", ".join(f"count(*) FILTER (severity = {value})" for value in (MASKED, NON_CRITICAL, CRITICAL))
        rows = connection.execute(f"SELECT {counts} FROM read_parquet({file})").fetchall()
        masked, non_critical, critical = rows[0]
        return Receipt(part, span, masked, non_critical, critical, hashes, rebuilt=True)
    except (duckdb.Error, KeyError, TypeError, ValueError):
        return None


def _metadata(path: Path, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    query = f"SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata({sql_path(path)})"
    return dict(connection.execute(query).fetchall())


def _set_aside(campaign: CampaignLayout, part: int) -> None:
    for table in reversed(PART_TABLES):  # the severity file first: without it nothing is committed
        path = campaign.part(table, part)
        if path.is_file():
            path.rename(path.with_name(path.name + ".bad"))
