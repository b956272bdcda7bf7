"""`dear-tui list`: every campaign of the store."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from dear_tui.access.commands import DOING
from dear_tui.access.study_reader import membership_of
from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.cli.printing.say import say, tell
from engine.severity import NOT_RUN_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.analysis.result_table import Table
    from engine.store import Action, CampaignStatus


def list_campaigns(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the campaigns, newest first."""
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.store import Store, store_path

    path = store_path(store)
    with Store.open(path, read_only=True) as opened:
        campaigns = opened.campaigns()
        studies = {status.id: membership_of(opened, status.id).study or None for status in campaigns}
        if as_json:
            say(json.dumps([asdict(status) | {"study": studies[status.id]} for status in campaigns], indent=2))
        elif campaigns:
            waiting = opened.queue.waiting()
            print_table(campaign_table(campaigns, waiting, studies, opened.orders()))
            for status in campaigns:
                if status.error:
                    tell(f"campaign {status.id}: {status.error}")
            worker, left = opened.worker(), [] if opened.holder() else opened.queue.left()
            for campaign in left:
                tell(f"campaign {campaign}: its worker ended at work; the next one goes on with it")
            if (waiting or left) and not worker.running:
                tell("no worker runs; dear-tui worker start runs the queue")
            elif waiting and worker.waits_for:
                tell(f"the worker waits for {worker.turn_before}")
        else:
            tell(f"no campaigns in {path}; start with: dear-tui demo")


def campaign_table(
    campaigns: list[CampaignStatus],
    waiting: list[int],
    studies: Mapping[int, str | None] = MappingProxyType({}),
    asked: Mapping[int, Action] = MappingProxyType({}),
) -> Table:
    """A row for each campaign; rate and ETA only where something runs, pairs that were not run only where there are.

    Studies, too, only where there are some.
    """
    from engine.analysis.result_table import Column, Kind, Table

    running = (Column("rate", Kind.RATE, priority=2), Column("eta_s", Kind.SECONDS, "ETA", priority=8))
    runs = any(status.rate for status in campaigns)
    not_run = [name for name in NOT_RUN_NAMES if any(getattr(status, name) for status in campaigns)]
    return Table(
        "",
        (
            Column("id", Kind.ID, priority=9),
            Column("name", priority=9),
            Column("state", priority=9),
            *((Column("study", priority=3),) if any(studies.values()) else ()),
            Column("network", priority=5),
            Column("dataset", heading="data set", priority=4),
            Column("select", priority=3),
            Column("faults", Kind.COUNT, priority=6),
            Column("images", Kind.COUNT, priority=6),
            Column("percent_done", Kind.PERCENT, heading="done", priority=8),
            *(running if runs else ()),
            Column("masked", Kind.COUNT, priority=1),
            Column("non_critical", Kind.COUNT, heading="non-critical", priority=1),
            Column("critical", Kind.COUNT, priority=7),
            *(Column(name, Kind.COUNT, priority=1) for name in not_run),
        ),
        tuple(
            (status.id, status.name, _state(status, waiting, asked.get(status.id)),
             *((studies[status.id],) if any(studies.values()) else ()), status.network, status.dataset, status.select,
             status.faults, status.images, 100 * status.pairs_done // max(1, status.pairs),  # 100 % is complete
             *((status.rate or None, status.eta_s) if runs else ()),
             status.masked, status.non_critical, status.critical, *(getattr(status, name) for name in not_run))
            for status in campaigns
        ),
    )  # fmt: skip


def _state(status: CampaignStatus, waiting: list[int], asked: Action | None) -> str:
    """With the place in the queue, 1 = next; or what is asked of it and not done yet."""
    if asked and status.state == "running":
        return DOING[asked]
    return f"{status.state} {waiting.index(status.id) + 1}" if status.id in waiting else status.state
