"""`dear-tui list`: every campaign of the store."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.cli.printing.say import say
from dear_tui.cli.printing.tables import Column, print_table
from dear_tui.text.units import duration, rate

if TYPE_CHECKING:
    from engine.store import CampaignStatus


def list_campaigns(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the campaigns, newest first."""
    from engine.store import Store, store_path

    path = store_path(store)
    opened = Store.open(path, read_only=True)
    campaigns = opened.campaigns()
    if as_json:
        say(json.dumps([asdict(status) for status in campaigns], indent=2))
    elif campaigns:
        waiting = opened.queue.waiting()
        print_table(columns(campaigns, waiting))
        for status in campaigns:
            if status.error:
                say(f"campaign {status.id}: {status.error}", file=sys.stderr)
        worker, left = opened.worker(), [] if opened.holder() else opened.queue.left()
        for campaign in left:
            say(f"campaign {campaign}: its worker ended at work; the next one goes on with it", file=sys.stderr)
        if (waiting or left) and not worker.running:
            say("no worker runs; dear-tui worker start runs the queue", file=sys.stderr)
        elif waiting and worker.waits_for:
            say(f"the worker waits for {worker.turn_before}", file=sys.stderr)
    else:
        say(f"no campaigns in {path}; start with: dear-tui demo", file=sys.stderr)


def columns(campaigns: list[CampaignStatus], waiting: list[int]) -> list[Column]:
    """The table; rate and ETA only where something runs, a place only for what waits."""

    def numbers(heading: str, cells: list[str], priority: int) -> Column:
        return Column(heading, cells, right=True, priority=priority)

    table = [
        Column("id", [str(status.id) for status in campaigns], priority=9),
        Column("name", [status.name for status in campaigns], priority=9),
        Column("state", [_state(status, waiting) for status in campaigns], priority=9),
        Column("network", [status.network for status in campaigns], priority=5),
        Column("data set", [status.dataset for status in campaigns], priority=4),
        Column("select", [status.select for status in campaigns], priority=3),
        numbers("faults", [f"{status.faults:,}" for status in campaigns], 6),
        numbers("images", [f"{status.images:,}" for status in campaigns], 6),
        numbers("done", [_percent_done(status) for status in campaigns], 8),
    ]
    if any(status.rate for status in campaigns):
        table += [
            numbers("rate", [rate(status.rate) if status.rate else "" for status in campaigns], 2),
            numbers("ETA", ["" if status.eta_s is None else duration(status.eta_s) for status in campaigns], 8),
        ]
    return [
        *table,
        numbers("masked", [f"{status.masked:,}" for status in campaigns], 1),
        numbers("non-critical", [f"{status.non_critical:,}" for status in campaigns], 1),
        numbers("critical", [f"{status.critical:,}" for status in campaigns], 7),
    ]


def _state(status: CampaignStatus, waiting: list[int]) -> str:
    """With the place in the queue, 1 = next."""
    return f"{status.state} {waiting.index(status.id) + 1}" if status.id in waiting else status.state


def _percent_done(status: CampaignStatus) -> str:
    """Rounded down: 100 % is complete."""
    return f"{100 * status.pairs_done // max(1, status.pairs)} %"
