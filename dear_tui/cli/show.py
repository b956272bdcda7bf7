"""`dear-tui show`: one campaign."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dear_tui.access.description import sections
from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.cli.printing.say import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.store import CampaignStatus


def show(
    campaign: Annotated[int, typer.Argument(metavar="ID", help="The campaign's number in `dear-tui list`.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a campaign: state, config and, when finished, results."""
    from dear_tui.cli.summary import campaign_tables, print_summary
    from engine.store import Store, store_path

    opened = Store.open(store_path(store), read_only=True)
    status, description = opened.campaign(campaign), opened.description(campaign)
    is_finished = status.state == "finished"
    if as_json:
        tables = campaign_tables(opened, campaign).to_json() if is_finished else None
        say(json.dumps(description | asdict(status) | {"tables": tables}, indent=2))
        return
    for line in _lines(status, description):
        say(line)
    if is_finished:
        say()
        print_summary(opened, campaign)


def _lines(status: CampaignStatus, description: dict[str, Any]) -> Iterator[str]:
    shown = sections(status, description)
    width = max(len(name) for section in shown.values() for name in section)
    for title, section in shown.items():
        yield title
        yield from (f"  {name:{width}}  {value}" for name, value in section.items())
