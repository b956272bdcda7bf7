"""The last campaign of the same config: what it depends on that is another thing now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputError, UnreachableError
from engine.running.fingerprint import differences, fingerprint, without_engine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from engine.store import CampaignStatus, Store


def compare_with_last(store: Store, config: Mapping[str, Any], identity: Mapping[str, str]) -> str | None:
    """Compare a campaign with the last one of the same config, unless the store has this very campaign.

    Args:
        store: where they are.
        config: as the store keeps it.
        identity: see `engine.running.fingerprint`.

    Returns:
        A note where there is another one that is finished.

    Raises:
        InputError: that one is unfinished: it cannot be continued, and should not be left behind unsaid.
    """
    if find_same(store, identity) is not None:
        return None
    for status in store.campaigns():
        description = _description(store, status.id) if status.name == config["name"] else {}
        if status.state == "cancelled" or not is_same_config(description.get("config", {}), config):
            continue
        changed = differences(description.get("identity", {}), identity)
        if status.state == "finished":
            return f"campaign {status.id} of this config is finished, but with {changed}; this is a new campaign"
        raise InputError(
            f"campaign {status.id} of this config is unfinished and was begun with {changed}; put that back to "
            "continue it, or start a new one with --again"
        )
    return None


def find_same(store: Store, identity: Mapping[str, str]) -> CampaignStatus | None:
    """The newest campaign that depends on the same, whatever version of the engine began it.

    Fingerprints of versions that counted the engine among what a campaign depends on are not this one's.
    """
    known = store.find(fingerprint(identity))
    if known is not None:
        return known
    wanted = without_engine(identity)
    return next((each for each in store.campaigns() if without_engine(_identity(store, each.id)) == wanted), None)


def _identity(store: Store, campaign: int) -> Mapping[str, str]:
    """What a campaign depends on; nothing where its campaign.json cannot be read."""
    identity: Mapping[str, str] = _description(store, campaign).get("identity", {})
    return identity


def _description(store: Store, campaign: int) -> dict[str, Any]:
    try:
        return store.description(campaign)
    except UnreachableError:
        return {}


def is_same_config(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs ask for the same, in everything but [run], which says how it is computed."""
    return {**one, "run": None} == {**other, "run": None}
