"""`dear-tui show`: one campaign."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dear_tui.access.description import sections
from dear_tui.cli.options import FORMATS, CampaignArgument, JsonOption, StoreOption, one_of
from dear_tui.cli.printing.say import say
from dear_tui.cli.results.summary import print_summary, print_tables, read_results
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.store import CampaignStatus, Store


def show(
    campaign: CampaignArgument,
    store: StoreOption = None,
    as_json: JsonOption = False,
    table_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="Of a finished campaign, but for text: only its tables; json: all, as --json.",
            callback=one_of(FORMATS),
        ),
    ] = "text",
) -> None:
    """Show a campaign: state, config and, when finished, results."""
    from engine.store import Store, store_path

    with Store.open(store_path(store), read_only=True) as opened:
        status = opened.campaign(campaign)
        is_finished = status.state == "finished"
        if as_json or table_format == "json":
            say(json.dumps(_as_json(opened, status), indent=2))
            return
        if table_format != "text":
            if not is_finished:
                raise InputError(f"campaign {campaign}: has no tables while it is {status.state}; run it to its end")
            print_tables(opened, campaign, table_format)
            return
        description = opened.description(campaign)
        for line in _lines(status, description):
            say(line)
        if is_finished:
            say()
            print_summary(opened, campaign, with_rankings=True)


def _as_json(store: Store, status: CampaignStatus) -> dict[str, Any]:
    """Description, status and, when finished, the tables' numbers."""
    from engine.analysis.campaign_results import metric_results

    tables = None
    if status.state == "finished":
        summary, results = read_results(store, status.id)
        tables = results.to_json() | asdict(metric_results(summary))
    return store.description(status.id) | asdict(status) | {"tables": tables}


def _lines(status: CampaignStatus, description: dict[str, Any]) -> Iterator[str]:
    shown = sections(status, description)
    width = max(len(name) for section in shown.values() for name in section)
    for title, section in shown.items():
        yield title
        yield from (f"  {name:{width}}  {value}" for name, value in section.items())
