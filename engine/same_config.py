"""The last campaign of the same config: what it depends on that is another thing now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.fingerprint import differences, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from engine.store import Store


def compare_with_last(store: Store, config: Mapping[str, Any], identity: Mapping[str, str]) -> str | None:
    """Compare a campaign with the last one of the same config, unless the store has this very campaign.

    Args:
        store: where they are.
        config: as the store keeps it.
        identity: see `engine.fingerprint`.

    Returns:
        A note where there is another one that is finished.

    Raises:
        InputError: that one is unfinished: it cannot be continued, and should not be left behind unsaid.
    """
    if store.find(fingerprint(identity)) is not None:
        return None
    for status in store.campaigns():
        description = store.description(status.id) if status.name == config["name"] else {}
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


def is_same_config(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs ask for the same, in everything but [run], which says how it is computed."""
    return {**one, "run": None} == {**other, "run": None}
