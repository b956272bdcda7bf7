"""campaign.json: all that is fixed of a campaign, and its state as last set, readable without state.sqlite."""

from __future__ import annotations

import errno
import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from engine.store.files import exclusive, lack, write_text
from engine.store.records import State
from engine.store.state.state import CampaignRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.store.layout import CampaignLayout
    from engine.store.records import NewCampaign


CHANGING = ("state", "started", "finished", "error")


def describe(row: CampaignRow, new: NewCampaign, hashes: dict[str, str]) -> dict[str, Any]:
    """The content of a campaign's campaign.json.

    Args:
        hashes: table -> sha256 of its file, of those that are fixed; that of this content is added.
    """
    content: dict[str, Any] = vars(row) | {
        "fault_model": new.faults.model,
        "population": new.faults.population,
        "strata": [asdict(stratum) for stratum in new.faults.strata],
        "weight_format": new.faults.format.name,
        "layers": [
            {"index": layer.index, "name": layer.name, "shape": list(layer.shape)} for layer in new.faults.layers
        ],
        "identity": new.identity,
        "config": new.config,
        "numerics": new.numerics,
    }
    return content | {"sha256": hashes | {"campaign": _hash_of_fixed(content)}}


def write_description(campaign: CampaignLayout, content: dict[str, Any]) -> None:
    write_text(campaign.description, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_description(campaign: CampaignLayout) -> dict[str, Any]:
    """The content of campaign.json.

    Raises:
        ValueError, OSError: it is not whole.
    """
    path = campaign.description
    if why := lack(path):
        raise FileNotFoundError(errno.ENOENT, why, str(path))
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("sha256", {}), dict):
        raise ValueError("not what was written")
    return content


def update_description(campaign: CampaignLayout, read: Callable[[], CampaignRow]) -> None:
    """Bring the state in campaign.json up to date; of several processes that do so, the last one reads the last row.

    A file that says so already is left as it is; one that is lost or damaged waits for `restore_campaign`.
    """
    with suppress(FileNotFoundError, NotADirectoryError, ValueError), exclusive(campaign.folder):
        row, content = read(), read_description(campaign)
        present = content | {name: getattr(row, name) for name in CHANGING} | {"state": row.shown_state}
        if present != content:
            write_description(campaign, present)


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
    row = CampaignRow(**{name: content[name] for name in CampaignRow.__dataclass_fields__})
    if is_damaged(content, row) or row.state not in get_args(State):
        raise ValueError("not what was written")
    for time in (row.started, row.finished):  # these are not hashed, because they change
        if time is not None:
            datetime.fromisoformat(str(time))
    return row if row.error is None else replace(row, error=str(row.error))
