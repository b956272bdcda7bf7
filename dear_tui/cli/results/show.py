"""`dear-tui show`: all that is known of campaigns."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dear_tui.access.description import sections
from dear_tui.cli.each import for_each
from dear_tui.cli.options import FORMATS, CampaignsArgument, JsonOption, StoreOption, one_of
from dear_tui.cli.printing.say import say, say_wrapped, tell
from dear_tui.cli.results.so_far import NEXT, print_so_far
from dear_tui.cli.results.summary import next_questions, print_results, print_tables, read_results
from engine.errors import InputError
from engine.severity import COUNTS

if TYPE_CHECKING:
    from engine.store import CampaignStatus, Store


def show(
    campaigns: CampaignsArgument,
    store: StoreOption = None,
    as_json: JsonOption = False,
    table_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="Other than text: only the tables of a finished campaign; json: all, as --json.",
            callback=one_of(FORMATS),
        ),
    ] = "text",
) -> None:
    """Show campaigns: results, config, and what they depend on.

    Of one that is not finished: its state, how far it is, and what is known so far. JSON of several is an array.
    """
    from engine.store import Store, store_path

    shown: list[Any] = []
    with Store.open(store_path(store), read_only=True) as opened:

        def show_one(campaign: int) -> None:
            status = opened.campaign(campaign)
            if as_json or table_format == "json":
                shown.append(_as_json(opened, status))
                return
            if shown:
                say()
            shown.append(campaign)
            if table_format == "text":
                _show(opened, status)
            elif status.state == "finished":
                print_tables(opened, campaign, table_format)
            else:
                raise InputError(f"campaign {campaign}: has no tables while it is {status.state}; run it to its end")

        try:
            for_each(campaigns, show_one)
        finally:
            if shown and (as_json or table_format == "json"):
                say(json.dumps(shown if len(set(campaigns)) > 1 else shown[0], indent=2))


def _show(store: Store, status: CampaignStatus) -> None:
    is_finished = status.state == "finished"
    if is_finished:
        print_results(store, status.id, with_rankings=True)
    else:
        print_so_far(store, status)
    say()
    _print_facts(sections(status, store.description(status.id)))
    tell(next_questions(status) if is_finished else f"\nnext: {NEXT[status.state].format(id=status.id)}")


def _as_json(store: Store, status: CampaignStatus) -> dict[str, Any]:
    """Description, status and, when finished, the tables' numbers."""
    from engine.analysis.campaign_results import metric_results

    tables = None
    if status.state == "finished":
        summary, results = read_results(store, status.id)
        tables = results.to_json() | asdict(metric_results(summary))
    return store.description(status.id) | asdict(status) | {"tables": tables}


TOLD_ABOVE = {
    *(
        "id",
        "name",
        "state",
        "network",
        "dataset",
        "method",
        "faults",
        "images",
        "pairs",
        "pairs_done",
        "error",
        "drawn",
    ),
    *("rate", "eta_s", "audited", "missed", *COUNTS),
}
"""facts of a campaign that stand before its config already"""

GLOSSED = ("population", "fingerprint", "batch_floor", "tau", "check_undecided", "check_masked")
"""facts whose names tell nobody what they are"""


def _print_facts(shown: dict[str, dict[str, str]]) -> None:
    from engine.analysis.glossary import TERMS

    shown["campaign"] = {name: value for name, value in shown["campaign"].items() if name not in TOLD_ABOVE}
    width = max(len(name) for section in shown.values() for name in section)
    for title, section in shown.items():
        say(title)
        for name, value in section.items():
            gloss = f"  ({TERMS[name.replace('_', ' ')]})" if name in GLOSSED else ""
            say_wrapped(f"  {name:{width}}  {value}{gloss}", hanging=width + 4)
