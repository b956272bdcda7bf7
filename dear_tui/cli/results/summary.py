"""What a finished campaign found, printed: the paper's tables, and what to ask next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dear_tui.cli.printing.say import say, shown_steps, tell
from engine.errors import InputError
from engine.steps import Step
from engine.units import stopwatch

if TYPE_CHECKING:
    from engine.analysis.campaign_results import CampaignResults
    from engine.steps import OnStep
    from engine.store import CampaignSummary, Store


def read_results(store: Store, campaign: int) -> tuple[CampaignSummary, CampaignResults]:
    """What a finished campaign found; ten million faults take a while, during which standard error says so."""
    from engine.analysis.campaign_results import campaign_results

    with shown_steps() as on_step:
        on_step(Step("adding up its faults"))
        summary = store.summary(campaign)
        return summary, campaign_results(summary, store.description(campaign))


def finished_summary(store: Store, campaign: int, on_step: OnStep) -> CampaignSummary:
    """What a campaign found, pair by pair.

    Raises:
        InputError: it is not finished, or has left pairs out of which it knows nothing.
    """
    status = store.campaign(campaign)
    if status.state != "finished":
        raise InputError(f"campaign {campaign}: is {status.state}; what its faults do is known when it is finished")
    if status.dropped:
        raise InputError(
            f"campaign {campaign}: left {status.dropped:,} pairs out, because their faults were known to be critical; "
            'run it with [run] goal = "severities"'
        )
    on_step(Step(f"adding up the faults of campaign {campaign}"))
    summary = store.summary(campaign)
    if status.screened:
        most = (
            ""
            if summary.audit is None
            else f", of which at most {math.ceil(summary.audit.pairs.missed_at_most):,} are critical"
        )
        tell(
            f"note: campaign {campaign} was screened: {status.screened:,} pairs were not run{most}; what "
            "follows is of the faults that were seen to be critical"
        )
    return summary


def print_tables(store: Store, campaign: int, table_format: str) -> None:
    """The tables of a finished campaign in a format for programs and papers, an empty line between them."""
    from engine.analysis.campaign_results import metric_results
    from engine.analysis.renderers.registry import render

    summary, results = read_results(store, campaign)
    tables = (*results.tables(summary.status), *metric_results(summary).tables())
    say("\n".join(render(table, table_format) for table in tables), end="")


def print_summary(store: Store, campaign: int, with_rankings: bool = False) -> None:
    """The tables of a finished campaign on standard output, and what to ask next on standard error."""
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.analysis.campaign_results import metric_results

    summary, results = read_results(store, campaign)
    status = summary.status
    say(f"campaign {status.id}: {status.name}, {status.network} on {status.dataset}")
    took = "" if results.seconds is None else f", computed in {stopwatch(results.seconds)}"
    of_drawn = f" of {status.drawn:,}" if status.has_stopped_early else ""
    say(f"{status.faults:,}{of_drawn} faults x {status.images:,} images = {status.pairs:,} pairs{took}")
    if results.precision is not None:
        say(f"precision: {results.precision}")
    if results.self_check is not None:
        say(f"self-check: {results.self_check}")
    for table in (*results.tables(status), *(metric_results(summary).tables() if with_rankings else ())):
        say()
        print_table(table)
    if results.unverified_parts:
        tell(
            f"\nnote: {results.unverified_parts:,} parts cannot be verified, because their receipts were lost and "
            "rebuilt from the parts themselves",
        )
    tell(
        '\nnext: dear-tui sql "select bit, sum(critical) critical from fault_summary join faults using (campaign, '
        f'fault_id) where campaign = {status.id} group by bit order by bit"',
    )
