"""A store in whose queue three campaigns wait, and what clients see of them."""

from dataclasses import replace
from pathlib import Path

from engine.store import Store
from tests.engine.store.stored_campaigns import new_campaign

NAMES = ("first", "second", "third")


def three_waiting(path: Path) -> Store:
    """Campaigns 1, 2, 3."""
    opened = Store.open(path)
    for name in NAMES:
        opened.queue.submit(replace(new_campaign(), fingerprint=name, name=name))
    return opened


def states(store: Store) -> dict[int, str]:
    """What clients see, and campaign.json says the same."""
    shown = {status.id: status.state for status in store.campaigns()}
    described = {campaign: store.description(campaign)["state"] for campaign in shown}
    assert described == {campaign: store.state.campaign_row(campaign).state for campaign in shown}
    return shown


KILLED = """
import os, signal, sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]))
with store.lock("worker"):
    if sys.argv[2] == "taken":
        store.queue.take()
    else:
        store.state.set_state(1, "paused", None)
        store.set_state(1, "running")
    if len(sys.argv) > 3:
        store.queue.request(sys.argv[3], 1)
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""A worker that is killed at campaign 1."""
