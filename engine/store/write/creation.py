"""Writing what is fixed of a campaign, its description, faults and images: all there or not at all, and again."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.metrics.registry import METRIC_COLUMNS
from engine.store.description import describe, is_damaged, read_description, write_description
from engine.store.files import (
    exclusive,
    lack,
    make_private_folder,
    remove,
    set_aside,
    sha256,
    sync,
    unfinished,
    unwritable,
)
from engine.store.layout import CampaignLayout
from engine.store.parquet import ROW_GROUP_SIZE, texts, write_parquet, write_parquet_batches
from engine.store.schema import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    import pyarrow as pa
    from numpy.typing import NDArray

    from engine.faults.fault_list import FaultList
    from engine.store.records import NewCampaign
    from engine.store.state.state import CampaignRow

FAULTS_AT_ONCE = 4 * ROW_GROUP_SIZE
"""whose rows are made together"""


def write_campaign(campaign: CampaignLayout, row: CampaignRow, new: NewCampaign) -> None:
    """Write the folder of a new campaign.

    Raises:
        UnreachableError: it could not be written; nothing of it is left behind.
    """
    if unknown := new.metrics.keys() - set(METRIC_COLUMNS):
        raise ValueError(f"the store has no column for {', '.join(sorted(unknown))}")
    written = CampaignLayout(unfinished(campaign.folder))
    try:
        remove(written.folder)
        _make_folders(written)
        _write_fixed(written, row, new)
        written.folder.rename(campaign.folder)
        sync(campaign.folder.parent)
    except OSError as error:
        shutil.rmtree(written.folder, ignore_errors=True)
        raise unwritable(campaign.folder, error) from None


def restore_campaign(campaign: CampaignLayout, row: CampaignRow, new: NewCampaign) -> list[str]:
    """Write again what is missing or damaged of what is fixed of a campaign.

    Args:
        new: of the same fingerprint.

    Returns:
        A sentence for each file that was bad.

    Raises:
        UnreachableError: it could not be written.
    """
    try:
        _make_folders(campaign)
        with exclusive(campaign.folder):
            bad, of_study = find_altered_fixed(campaign, row), _with_study(campaign, new)
            set_aside(*bad)
            if bad:
                _write_fixed(campaign, row, of_study)
    except OSError as error:
        raise unwritable(campaign.folder, error) from None
    return [f"{problem}; written again" for problem in bad.values()]


def renew_campaign(campaign: CampaignLayout, row: CampaignRow, new: NewCampaign, with_tables: bool) -> None:
    """Write what is fixed of a campaign as it would begin now; its tables too, where no part depends on them yet.

    Raises:
        UnreachableError: it could not be written.
    """
    try:
        with exclusive(campaign.folder):
            new = _with_study(campaign, new)
            if with_tables:
                _write_fixed(campaign, row, new)
            else:
                write_description(campaign, describe(row, new, _hashes(campaign), _written_in(campaign)))
    except OSError as error:
        raise unwritable(campaign.folder, error) from None


def find_altered_fixed(campaign: CampaignLayout, row: CampaignRow) -> dict[Path, str]:
    """File -> what is wrong with it, of those that hold what is fixed of a campaign."""
    bad: dict[Path, str] = {}
    hashes: dict[str, str] = {}
    try:
        content = read_description(campaign)
        hashes = content.get("sha256", {})
        if is_damaged(content, row):
            bad[campaign.description] = f"{campaign.description}: damaged"
        elif content.get("faults") != row.faults:  # a stop changes the row first
            return {campaign.description: f"{campaign.description}: is of the faults before the campaign stopped"}
    except FileNotFoundError as error:
        bad[campaign.description] = f"{campaign.description}: {error.strerror}"
    except ValueError:
        bad[campaign.description] = f"{campaign.description}: damaged"
    needed = {"faults": campaign.faults, "images": campaign.images}
    needed |= {"sites": campaign.sites} if "sites" in hashes else {}
    for table, path in needed.items():
        if why := lack(path):
            bad[path] = f"{path}: {why}"
        elif table in hashes and sha256(path) != hashes[table]:
            bad[path] = f"{path}: damaged"
    return bad


def _make_folders(campaign: CampaignLayout) -> None:
    for folder in campaign.folders:
        if not folder.is_dir():
            set_aside(folder)
        make_private_folder(folder)


def _write_fixed(campaign: CampaignLayout, row: CampaignRow, new: NewCampaign) -> None:
    write_parquet_batches(campaign.faults, "faults", _fault_batches(new))
    write_parquet(campaign.images, "images", _image_columns(new))
    write_description(campaign, describe(row, new, _hashes(campaign), _written_in(campaign)))


def _with_study(campaign: CampaignLayout, new: NewCampaign) -> NewCampaign:
    """A campaign as it would begin now, in the study that it was submitted with, of which its config says nothing."""
    with suppress(OSError, ValueError):
        kept = read_description(campaign)
        study, factors = kept.get("study"), kept.get("factors")
        if new.study is None and isinstance(study, str) and isinstance(factors, dict):
            return replace(new, study=study, factors=factors)
    return new


def _written_in(campaign: CampaignLayout) -> int | None:
    """The oldest format that files of a campaign may be of: parts that are there stay as they are."""
    if not campaign.parts("severity"):
        return FORMAT
    with suppress(OSError, ValueError):
        return read_description(campaign).get("format")
    return None


def _hashes(campaign: CampaignLayout) -> dict[str, str]:
    """Table -> hash of its file, of those that are fixed."""
    tables = {"faults": campaign.faults, "images": campaign.images, "sites": campaign.sites}
    return {table: sha256(path) for table, path in tables.items() if path.is_file()}


def _fault_batches(new: NewCampaign) -> Iterator[dict[str, NDArray[Any] | pa.Array]]:
    """The columns of some faults at a time, so that a list of all faults of a network takes no more memory here."""
    for start in range(0, max(1, len(new.faults)), FAULTS_AT_ONCE):
        some = slice(start, start + FAULTS_AT_ONCE)
        yield _fault_columns(new, new.faults.take(some), new.golden_values[some], new.faulty_values[some])


def _fault_columns(
    new: NewCampaign, faults: FaultList, golden: NDArray[np.float32], faulty: NDArray[np.float32]
) -> dict[str, NDArray[Any] | pa.Array]:
    return {
        "fault_id": faults.fault_id,
        "layer": texts(faults.layer_names()),
        "layer_index": faults.layer,
        "weight_index": faults.weight_index,
        "tensor_index": texts(faults.tensor_index()),
        "bit": faults.bit,
        "model": texts(faults.models()),
        "golden_value": golden,
        "faulty_value": faulty,
        "pattern_golden": faults.format.encode(golden),
        "pattern_faulty": faults.format.encode(faulty),
        "stratum": faults.stratum,
        "weight": _weights(new, faults.stratum),
        "wave": faults.wave,
    }


def _weights(new: NewCampaign, stratum: NDArray[np.int32]) -> NDArray[np.float64]:
    """How many faults of the population each fault stands for; a list that was given stands for nothing (NULL)."""
    is_list = new.config.get("faults", {}).get("sampling") == "list"
    return np.ma.masked_array(np.array([each.weight for each in new.faults.strata])[stratum], mask=is_list)


def _image_columns(new: NewCampaign) -> dict[str, NDArray[Any]]:
    images = len(new.labels)
    rank = np.full(images, -1)
    rank[new.workload] = np.arange(len(new.workload))
    unused = np.ma.masked_array(np.zeros(images), mask=True)
    return {
        "image_id": np.arange(images),
        "rank": np.ma.masked_array(rank, mask=rank < 0),
        "label": new.labels,
        "golden_class": new.golden_class,
        "golden_correct": new.golden_class == new.labels,
        **{name: new.metrics.get(name, unused) for name in METRIC_COLUMNS},
    }
