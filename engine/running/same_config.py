"""The last campaign of the same config: what it depends on that is another thing now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.config.campaign_config import DEFAULTS
from engine.errors import InputError, UnreachableError
from engine.running.fingerprint import differences, fingerprint, without_engine
from engine.store.records import is_unprepared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from engine.store import CampaignStatus, Store


@dataclass(frozen=True)
class Earlier:
    """What a store has of a campaign that is asked for."""

    same: CampaignStatus | None = None
    """the newest campaign that depends on the same, whatever version of the engine began it"""
    note: str | None = None
    """that the last one of the same config is finished, and what it depends on that is another thing now"""


def find_earlier(store: Store, config: Mapping[str, Any], identity: Mapping[str, str]) -> Earlier:
    """Look a campaign up, in one reading of each campaign.json; in none where its fingerprint is known.

    Fingerprints of versions that counted the engine among what a campaign depends on are not this one's.

    Args:
        store: where the campaigns are.
        config: as the store keeps it.
        identity: see `engine.running.fingerprint`.

    Raises:
        InputError: the last campaign of the config is unfinished and depends on something else: it cannot be
            continued, and should not be left behind unsaid.
    """
    if known := store.find(fingerprint(identity)):
        return Earlier(known)
    wanted, last = without_engine(identity), None
    for status in store.campaigns():
        description = _description(store, status.id)
        if is_unprepared(str(description.get("fingerprint"))):
            continue
        then = description.get("identity", {})
        if without_engine(then) == wanted:
            return Earlier(status)
        is_of_config = status.name == config["name"] and is_same_config(description.get("config", {}), config)
        if last is None and is_of_config and status.state != "cancelled":
            last = status, differences(then, identity)
    if last is None:
        return Earlier()
    status, changed = last
    if status.state == "finished":
        return Earlier(
            note=f"campaign {status.id} of this config is finished, but with {changed}; this is a new campaign"
        )
    raise InputError(
        f"campaign {status.id} of this config is unfinished and was begun with {changed}; put that back to "
        "continue it, or start a new one with --again"
    )


def _description(store: Store, campaign: int) -> dict[str, Any]:
    """A campaign's campaign.json; nothing where it cannot be read."""
    try:
        return store.description(campaign)
    except UnreachableError:
        return {}


def is_same_config(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs ask for the same, in everything but [run], which says how it is computed.

    A key that was not there yet when a config was kept has its default. Where the faults are counted, what else would
    decide how many are drawn does not, but for the confidence that tells when a campaign with a precision stops.
    """
    return _said(one) == _said(other)


def _said(config: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {name: {**keys, **config.get(name, {})} for name, keys in DEFAULTS.items()}
    if filled["faults"].get("count") is not None:
        stops = filled["run"].get("precision") is not None
        filled["faults"] |= {"error_margin": None} | ({} if stops else {"confidence": None})
    return {**config, **filled, "run": None}
