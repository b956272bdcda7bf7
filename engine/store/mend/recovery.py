"""What a killed process, a lost state.sqlite or a damaged part left behind, and how the store goes on from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from engine.severity import COUNTS, SEVERITIES
from engine.store.description import read_row
from engine.store.files import exclusive, lack, remove, remove_unfinished, set_aside, sha256
from engine.store.parquet import read_arrays, sql_path, stored, stored_rows
from engine.store.part_footer import read_footer
from engine.store.records import Receipt, is_unprepared
from engine.store.schema import AUDIT, CHANGING, PART_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.store.layout import CampaignLayout, Layout
    from engine.store.state.state import CampaignRow, StateFile


def adopt_campaigns(layout: Layout, state: StateFile) -> list[int]:
    """Enter the campaigns that are on disk but not in state.sqlite, because it was lost; their ids.

    A campaign.json that is damaged is set aside: otherwise every query on `campaigns` would fail, for all of them.
    """
    adopted = []
    for campaign in unknown_campaigns(layout, state):
        files = layout.campaign(campaign)
        try:
            row = read_row(files)
        except (KeyError, ValueError, OSError):
            set_aside(files.description)
            continue
        if row.id == campaign:
            state.add_campaign(row, sha256(files.sealed) if files.sealed.is_file() else None)
            if row.state == "queued":  # in the order of submission, and before what is submitted from now on
                state.set_position(campaign, campaign)
            adopted.append(campaign)
    return adopted


def enter_filled(layout: Layout, state: StateFile) -> None:
    """Enter what was prepared of a campaign that was queued by its config alone, where its process died before that."""
    for campaign in state.campaign_ids():
        row = state.campaign_row(campaign)
        if is_unprepared(row.fingerprint):
            with suppress(KeyError, ValueError, OSError):  # damaged: said by whoever needs it
                filled = read_row(layout.campaign(campaign))
                if filled.fingerprint == row.fingerprint:
                    continue
                state.replace_campaign(replace(filled, **{name: getattr(row, name) for name in CHANGING}))


def find_unreadable(layout: Layout, state: StateFile) -> list[str]:
    """A sentence for each campaign that has parts but neither a campaign.json to read nor a place in state.sqlite."""
    return [
        f"{layout.campaign(campaign).folder}: campaign.json is missing or damaged, and state.sqlite was lost, so the "
        "campaign cannot be listed; run its config again, which takes up its parts, or restore that file from a copy"
        for campaign in unknown_campaigns(layout, state)
        if layout.campaign(campaign).parts("severity")
    ]


def unknown_campaigns(layout: Layout, state: StateFile) -> list[int]:
    """The campaigns on disk that are not in state.sqlite, ascending."""
    return sorted(set(layout.campaign_ids()) - set(state.campaign_ids()))


def find_nameless(
    layout: Layout, state: StateFile, fingerprint: str, connection: duckdb.DuckDBPyConnection
) -> int | None:
    """The newest campaign on disk that is not in state.sqlite and whose parts say that they are of this fingerprint."""
    for campaign in reversed(unknown_campaigns(layout, state)):
        files = layout.campaign(campaign)
        for part in files.parts("severity"):
            with suppress(duckdb.Error):
                if _metadata(files.part("severity", part), connection).get("fingerprint") == fingerprint:
                    return campaign
    return None


def clear_unfinished(campaign: CampaignLayout) -> None:
    """Delete what a killed process left half-written of a campaign; what another one is writing now is waited for."""
    with suppress(FileNotFoundError, NotADirectoryError), exclusive(campaign.folder):
        for folder in campaign.folders:
            remove_unfinished(folder)


def recover_parts(
    campaign: CampaignLayout, number: int, state: StateFile, connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """Make parts and receipts agree, as far as hashes tell.

    Returns:
        A sentence for what could not be verified and for what must be run again.
    """
    mended = mend_parts(campaign, number, state, connection, find_altered)
    notes = []
    if mended.bad:
        parts = ", ".join(map(str, mended.bad))
        notes.append(f"{campaign.folder}: part {parts} damaged or incomplete, set aside as .bad; its pairs run again")
    if mended.rebuilt:
        notes.append(
            f"{campaign.folder}: receipts of {mended.rebuilt} parts were rebuilt; their content cannot be verified"
        )
    return notes


@dataclass(frozen=True)
class Mended:
    """What had to be done to the parts of a campaign."""

    bad: dict[int, str]
    """part -> what was wrong with it; it was set aside"""
    rebuilt: int
    """receipts that were made from the parts themselves"""


def mend_parts(
    campaign: CampaignLayout,
    number: int,
    state: StateFile,
    connection: duckdb.DuckDBPyConnection,
    find_damage: Callable[[CampaignLayout, Receipt], str | None],
) -> Mended:
    """Make parts and receipts agree: afterwards every part set has its receipt, and nothing else is read.

    A set without its severity file was never committed and is deleted; a set that is damaged is set aside as `*.bad`.

    Args:
        find_damage: says what is wrong with a part set; None if nothing is.
    """
    clear_unfinished(campaign)
    row = state.campaign_row(number)
    receipts = {receipt.part: receipt for receipt in state.receipts(number)}
    parts = {*campaign.parts("severity"), *receipts}
    for table in (AUDIT, *PART_TABLES[:-1]):
        for part in set(campaign.parts(table)) - parts:
            remove(campaign.part(table, part))
    bad: dict[int, str] = {}
    rebuilt = 0
    for part in sorted(parts):
        known = receipts.pop(part, None)
        receipt = known or _rebuild(campaign, part, row, connection)
        if receipt is None:
            damage: str | None = f"{campaign.part('severity', part)}: not a whole part of this campaign"
        elif any(receipt.span.overlaps(other.span) for other in receipts.values()):
            damage = f"{campaign.part('severity', part)}: its pairs are in another part, too"
        else:
            damage = find_damage(campaign, receipt)
        if damage is not None:
            if known is not None:
                state.remove_receipt(number, part)
            set_aside(*(campaign.part(table, part) for table in reversed((AUDIT, *PART_TABLES))))  # the commit first
            bad[part] = damage
        elif receipt is not None:
            receipts[part] = receipt
            if known is None:
                state.add_receipt(number, receipt)
                rebuilt += 1
    return Mended(bad, rebuilt)


def find_altered(campaign: CampaignLayout, receipt: Receipt) -> str | None:
    """Which file of a part set is missing or not what was written."""
    for table, written in receipt.sha256.items():
        path = campaign.part(table, receipt.part)
        if why := lack(path):
            return f"{path}: {why}"
        if sha256(path) != written:
            return f"{path}: damaged"
    return None


def _rebuild(
    campaign: CampaignLayout, part: int, row: CampaignRow, connection: duckdb.DuckDBPyConnection
) -> Receipt | None:
    """A receipt from the part set itself; None if the set is not whole or not this campaign's."""
    paths = {table: campaign.part(table, part) for table in PART_TABLES}
    if not all(path.is_file() for path in paths.values()):
        return None
    audit = campaign.part(AUDIT, part)
    paths |= {AUDIT: audit} if audit.is_file() else {}
    try:
        metadata = {table: _metadata(path, connection) for table, path in paths.items()}
        fingerprint, known = read_footer(metadata["severity"])
        if fingerprint != row.fingerprint or any(other != metadata["severity"] for other in metadata.values()):
            return None
        if known["audited"] and AUDIT not in paths:
            return None
        run = ", ".join(f"count(*) FILTER (severity = {code}) AS {name}" for code, name in enumerate(SEVERITIES))
        not_run = ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in COUNTS[len(SEVERITIES) :])
        counted = (
            f"SELECT {run} FROM {stored(paths['severity'])}",
            f"SELECT {not_run} FROM {stored_rows('fault_summary', paths['fault_summary'])}",
        )
        for query in counted:
            known |= {name: int(found[0]) for name, found in read_arrays(connection, query).items()}
        hashes = {table: sha256(path) for table, path in paths.items()}
        return Receipt(part=part, sha256=hashes, rebuilt=True, **known)
    except (duckdb.Error, KeyError, TypeError, ValueError):
        return None


def _metadata(path: Path, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    query = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({sql_path(path)})"
    return dict(connection.execute(query).fetchall())
