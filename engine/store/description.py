"""campaign.json: all that is fixed of a campaign, and its state as last set, readable without state.sqlite."""

from __future__ import annotations

import errno
import hashlib
import json
from contextlib import suppress
from dataclasses import MISSING, asdict, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from engine.errors import NewerStoreError
from engine.store.files import exclusive, lack, write_text
from engine.store.records import LayerRecord, State
from engine.store.schema import CHANGING, FORMAT
from engine.store.state.state import CampaignRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.store.layout import CampaignLayout, Layout
    from engine.store.records import NewCampaign


def describe(
    row: CampaignRow, new: NewCampaign, hashes: dict[str, str], written_in: int | None = FORMAT
) -> dict[str, Any]:
    """The content of a campaign's campaign.json.

    Args:
        row: what state.sqlite keeps of it.
        new: what it was created from.
        hashes: table -> sha256 of its file, of those that are fixed; that of this content is added.
        written_in: the oldest format that files of it may be of; None: one before there were numbers.
    """
    layers = new.layers or [LayerRecord(layer.index, layer.name, layer.shape) for layer in new.faults.layers]
    content: dict[str, Any] = vars(row) | {
        "format": written_in,
        "fault_model": new.faults.model,
        "population": new.faults.population,
        "strata": [asdict(stratum) for stratum in new.faults.strata],
        "weight_format": new.faults.format.name,
        "study": new.study,
        "factors": new.factors,
        "layers": [asdict(layer) | {"shape": list(layer.shape)} for layer in layers],
        "check": None if new.check is None else asdict(new.check),
        "identity": new.identity,
        "config": new.config,
        "numerics": new.numerics,
    }
    return content | {"sha256": hashes | {"campaign": _hash_of_fixed(content)}}


def write_description(campaign: CampaignLayout, content: dict[str, Any]) -> None:
    """Write a campaign's campaign.json; `content` as `describe` gives it."""
    write_text(campaign.description, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_description(campaign: CampaignLayout) -> dict[str, Any]:
    """The content of campaign.json.

    Raises:
        ValueError, OSError: it is not whole.
        NewerStoreError: a newer version wrote it, which may mean something else.
    """
    path = campaign.description
    if why := lack(path):
        raise FileNotFoundError(errno.ENOENT, why, str(path))
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("sha256", {}), dict):
        raise ValueError("not what was written")
    written = content.get("format")
    if isinstance(written, int) and written > FORMAT:
        raise NewerStoreError(f"{path}: made by a newer version of dear-tui; update this one to use the store")
    return content


def has_older_files(layout: Layout) -> bool:
    """Whether a campaign of the store may have files of an older format, which lack columns."""
    for campaign in layout.campaign_ids():
        try:
            if read_description(layout.campaign(campaign)).get("format") != FORMAT:
                return True
        except (OSError, ValueError):
            return True
    return False


def update_description(campaign: CampaignLayout, read: Callable[[], CampaignRow]) -> None:
    """Bring the state in campaign.json up to date; of several processes that do so, the last one reads the last row.

    A file that says so already is left as it is; one that is lost or damaged waits for `restore_campaign`.
    """
    with suppress(FileNotFoundError, NotADirectoryError, ValueError), exclusive(campaign.folder):
        row, content = read(), read_description(campaign)
        present = content | {name: getattr(row, name) for name in CHANGING} | {"state": row.shown_state}
        if present != content:
            write_description(campaign, present)


def rename_in_description(campaign: CampaignLayout, read: Callable[[], CampaignRow]) -> None:
    """Bring the name in campaign.json up to date, which is hashed with what is fixed.

    A file that is lost or damaged waits for `restore_campaign`, which takes the name from state.sqlite.
    """
    with suppress(FileNotFoundError, NotADirectoryError, ValueError), exclusive(campaign.folder):
        row, content = read(), read_description(campaign)
        if not is_damaged(content, row):
            renamed = content | {"name": row.name}
            write_description(campaign, renamed | {"sha256": content["sha256"] | {"campaign": _hash_of_fixed(renamed)}})


def is_damaged(content: dict[str, Any], row: CampaignRow) -> bool:
    """Whether a campaign.json is not what was written, or is another campaign's."""
    is_other = (content.get("id"), content.get("fingerprint")) != (row.id, row.fingerprint)
    return is_other or content.get("sha256", {}).get("campaign") != _hash_of_fixed(content)


def _hash_of_fixed(content: dict[str, Any]) -> str:
    fixed = {name: value for name, value in content.items() if name not in (*CHANGING, "sha256")}
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def read_row(campaign: CampaignLayout) -> CampaignRow:
    """What state.sqlite keeps of a campaign, from its campaign.json.

    Raises:
        KeyError, ValueError, OSError: the file is not whole.
    """
    content = read_description(campaign)
    row = CampaignRow(**{each.name: content.get(each.name, each.default) for each in fields(CampaignRow)})
    if MISSING in vars(row).values():
        raise KeyError(next(name for name, value in vars(row).items() if value is MISSING))
    if is_damaged(content, row) or row.state not in get_args(State):
        raise ValueError("not what was written")
    for time in (row.started, row.finished):  # these are not hashed, because they change
        if time is not None:
            datetime.fromisoformat(str(time))
    return row if row.error is None else replace(row, error=str(row.error))
