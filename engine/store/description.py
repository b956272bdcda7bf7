"""campaign.json: all that is fixed of a campaign, and its state as last set, readable without state.sqlite."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.store.files import write_text
from engine.store.state import CampaignRow

if TYPE_CHECKING:
    from engine.store.layout import CampaignLayout
    from engine.store.records import NewCampaign


def describe(row: CampaignRow, new: NewCampaign) -> dict[str, Any]:
    """The content of a new campaign's campaign.json."""
    return vars(row) | {
        "fault_model": new.faults.model,
        "population": new.faults.population,
        "layers": [
            {"index": layer.index, "name": layer.name, "shape": list(layer.shape)} for layer in new.faults.layers
        ],
        "identity": new.identity,
        "config": new.config,
        "numerics": new.numerics,
    }


def write_description(campaign: CampaignLayout, content: dict[str, Any]) -> None:
    write_text(campaign.description, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_description(campaign: CampaignLayout) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(campaign.description.read_text(encoding="utf-8"))
    return content


def update_description(campaign: CampaignLayout, row: CampaignRow) -> None:
    """Bring the state in campaign.json up to date."""
    write_description(campaign, read_description(campaign) | vars(row))


def read_row(campaign: CampaignLayout) -> CampaignRow:
    """What state.sqlite keeps of a campaign, from its campaign.json.

    Raises:
        KeyError, TypeError, ValueError, OSError: the file is not whole.
    """
    content = read_description(campaign)
    return CampaignRow(**{name: content[name] for name in CampaignRow.__dataclass_fields__})
