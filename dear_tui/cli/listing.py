"""`dear-tui list`: every campaign of the store."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.human import duration, short_count

if TYPE_CHECKING:
    from engine.store import CampaignStatus


def list_campaigns(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the campaigns, newest first."""
    from engine.store import Store, store_path

    path = store_path(store)
    campaigns = Store.open(path, read_only=True).campaigns()
    if as_json:
        print(json.dumps([asdict(status) for status in campaigns], indent=2))
    elif campaigns:
        Console(soft_wrap=True, highlight=False).print(_table(campaigns))
    else:
        Console(stderr=True, highlight=False).print(f"no campaigns in {path}; start with: dear-tui demo")


def _table(campaigns: list[CampaignStatus]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("id", "name", "state", "network", "data set", "images of"):
        table.add_column(heading)
    for heading in ("faults", "images", "done", "rate/s", "ETA", "masked", "non-critical", "critical"):
        table.add_column(heading, justify="right")
    for status in campaigns:
        table.add_row(
            *(str(status.id), status.name, status.state, status.network, status.dataset, status.select),
            *(f"{status.faults:,}", f"{status.images:,}", f"{100 * status.pairs_done / max(1, status.pairs):.0f} %"),
            short_count(status.rate) if status.rate else "",
            duration(status.eta_s) if status.eta_s else "",
            *(f"{count:,}" for count in (status.masked, status.non_critical, status.critical)),
        )
    return table
