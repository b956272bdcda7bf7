"""Whether a campaign is what was written: every file, every row; what is bad is set aside and run again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from engine.severity import COUNTS, CRITICAL, SEVERITIES
from engine.store.description import read_row
from engine.store.files import lack, set_aside, sha256
from engine.store.mend.recovery import find_altered, mend_parts
from engine.store.parquet import connect, read_arrays, stored_rows
from engine.store.read.pairs import NOT_RUN, counts, places, read_pairs
from engine.store.records import FOUND_DAMAGE
from engine.store.schema import AUDIT, AUDIT_COUNTS, CHANGING
from engine.store.write.creation import find_altered_fixed
from engine.store.write.part_tables import audit_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from engine.store.layout import CampaignLayout
    from engine.store.read.pairs import PartPairs
    from engine.store.records import Receipt
    from engine.store.store import Store


def verify_campaign(store: Store, campaign: int, on_part: Callable[[int, int], None]) -> list[str]:
    """Check every file of a campaign by its hash, and the rows of its parts.

    Bad files become `*.bad`. A finished campaign that lacks something then is paused, so that the next run computes
    it; where only the sealed file is bad, it is made again from the parts.

    Args:
        store: with its lock held.
        on_part: told how many of how many parts are checked.

    Returns:
        A sentence for each file that is bad.

    Raises:
        UnreachableError: what is bad could not be set aside, or the sealed file could not be written.
    """
    corrected = _correct_row(store, campaign)
    layout, row = store.layout.campaign(campaign), store.state.campaign_row(campaign)
    parts = len(store.state.receipts(campaign))
    checked = 0

    def find_damage(layout: CampaignLayout, receipt: Receipt) -> str | None:
        nonlocal checked
        checked += 1
        on_part(checked, max(checked, parts))
        return find_altered(layout, receipt) or _find_wrong_rows(connection, layout, receipt)

    fixed = find_altered_fixed(layout, row)
    set_aside(*fixed)
    with connect() as connection:
        mended = mend_parts(layout, campaign, store.state, connection, find_damage)
    problems = [*fixed.values(), *mended.bad.values()]
    missing = row.faults * row.images - sum(receipt.span.pairs for receipt in store.state.receipts(campaign))
    if row.state == "finished" and not fixed and not missing:
        return corrected + problems + _verify_sealed(store, campaign)
    if row.state == "finished":
        store.set_state(campaign, "paused", f"{FOUND_DAMAGE}; run it again to fix it")
        if not mended.bad:
            problems += [f"{layout.folder}: {missing:,} pairs are in no part"] * bool(missing)
    return corrected + [f"{problem}; running its config again fixes it" for problem in problems]


def _correct_row(store: Store, campaign: int) -> list[str]:
    """Let state.sqlite, which has no hashes, say of what never changes what campaign.json says, if that is whole."""
    try:
        written = read_row(store.layout.campaign(campaign))
    except (KeyError, ValueError, OSError):
        return []  # it is checked by itself
    row = store.state.campaign_row(campaign)
    corrected = replace(written, **{name: getattr(row, name) for name in CHANGING})
    if row == corrected or written.id != campaign:
        return []
    store.state.replace_campaign(corrected)
    return [f"{store.layout.state}: said something else of campaign {campaign} than its campaign.json; corrected"]


def _verify_sealed(store: Store, campaign: int) -> list[str]:
    sealed = store.layout.campaign(campaign).sealed
    problem = lack(sealed)
    if problem is None and sha256(sealed) == store.state.sealed_sha256(campaign):
        return []
    problem = problem or "damaged"
    store.set_state(campaign, "paused")
    set_aside(sealed)
    store.writer(campaign).seal()
    return [f"{sealed}: {problem}; made again from the parts"]


def _find_wrong_rows(connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout, receipt: Receipt) -> str | None:
    """Which file of a part set has other rows than the severities and the receipt ask for."""
    paths = {table: campaign.part(table, receipt.part) for table in receipt.sha256}
    try:
        pairs = read_pairs(connection, campaign, receipt)
        expected = [getattr(receipt, name) for name in SEVERITIES]
        found = np.bincount(pairs.severity[pairs.severity != NOT_RUN], minlength=len(expected))
        if found.tolist() != expected:
            return f"{paths['severity']}: has other severities than its receipt"
        not_run = f"({' + '.join(COUNTS[len(SEVERITIES) :])})::BIGINT AS not_run"
        for table, rows in _expected_rows(pairs).items():
            columns = ", ".join(not_run if name == "not_run" else name for name in rows)
            query = f"SELECT {columns} FROM {stored_rows(table, paths[table])} ORDER BY ALL"
            if not all(np.array_equal(column, rows[name]) for name, column in read_arrays(connection, query).items()):
                return f"{paths[table]}: does not agree with the severities"
        if AUDIT in paths and not _is_audit_right(connection, paths[AUDIT], pairs, receipt):
            return f"{paths[AUDIT]}: does not agree with the severities or with its receipt"
    except (duckdb.Error, ValueError) as error:
        return str(error).splitlines()[0]
    return None


def _is_audit_right(connection: duckdb.DuckDBPyConnection, path: Path, pairs: PartPairs, receipt: Receipt) -> bool:
    """Whether each audited pair is one of the part that has no row, or a critical one, and as many as were written."""
    audit = read_arrays(connection, f"SELECT fault_id, image_id, severity FROM {stored_rows(AUDIT, path)}")
    if audit_counts(audit) != {name: getattr(receipt, name) for name in AUDIT_COUNTS}:
        return False
    fault, image = places(pairs.fault_id, audit["fault_id"]), places(pairs.image_id, audit["image_id"])
    if (fault < 0).any() or (image < 0).any():
        return False
    expected = np.where(audit["severity"] == CRITICAL, CRITICAL, NOT_RUN)
    return np.array_equal(pairs.severity[fault, image], expected)


def _expected_rows(pairs: PartPairs) -> dict[str, dict[str, NDArray[Any]]]:
    """Table -> the columns that follow from the severities, by their first one."""
    fault, image = np.nonzero(pairs.severity == CRITICAL)
    tables: dict[str, dict[str, NDArray[Any]]] = {
        "critical": {"fault_id": pairs.fault_id[fault], "image_id": pairs.image_id[image]},
        "fault_summary": {"fault_id": pairs.fault_id, **_counts(pairs.severity, axis=1)},
        "image_summary": {"image_id": pairs.image_id, **_counts(pairs.severity, axis=0)},
    }
    for table, columns in tables.items():
        order = np.lexsort([*reversed(columns.values())])
        tables[table] = {name: column[order] for name, column in columns.items()}
    return tables


def _counts(severity: NDArray[np.uint8], axis: int) -> dict[str, NDArray[np.int64]]:
    """Pairs of each severity along one axis, and those that were not run."""
    return {**counts(severity, axis), "not_run": np.count_nonzero(severity == NOT_RUN, axis=axis)}
