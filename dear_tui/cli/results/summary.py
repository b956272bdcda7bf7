"""What a finished campaign found, printed: the paper's tables, and what to ask next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dear_tui.cli.printing.say import say, say_wrapped, shown_steps, tell
from dear_tui.text.size import size_of
from dear_tui.text.times import start_to_end
from engine.errors import InputError
from engine.steps import Step
from engine.units import duration, stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.analysis.campaign_results import CampaignResults
    from engine.steps import OnStep
    from engine.store import CampaignStatus, CampaignSummary, Store


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


def size_in_words(status: CampaignStatus) -> str:
    """Faults, images and pairs."""
    return f"{size_of(status, by='x')} = {status.pairs:,} pairs"


def what_is_run(status: CampaignStatus, description: Mapping[str, Any], data_set: int, right: int) -> Iterator[str]:
    """Which faults and images, and how.

    Args:
        status: of the campaign.
        description: all that is fixed of it, from `Store.description`.
        data_set: images in the data set.
        right: of the campaign's images, those that the network has right without a fault.
    """
    from engine.analysis.workload import images_in_words, right_in_words

    numerics = description["numerics"]
    yield f"faults: {', '.join(_faults(description))}"
    yield f"images: {images_in_words(status, data_set)}; {right_in_words(right)}"
    yield f"run by: method {status.method} on {numerics['device']}, torch {numerics['torch']}"


def _faults(description: Mapping[str, Any]) -> Iterator[str]:
    from engine.faults.designs.registry import DESIGNS, LIST

    config = description["config"].get("faults", {})
    sampling, possible = config.get("sampling", "network"), description.get("population")
    yield str(description.get("fault_model", "bit_flip")).replace("_", " ")
    if sampling == LIST:
        yield "those of a list"
    else:
        yield f"sampling {sampling} ({DESIGNS[sampling].help})"
        if possible is not None:
            yield f"{possible:,} possible ones"
    for name in ("layers", "bits"):
        if config.get(name) is not None:
            yield f"{name} {' '.join(map(str, config[name]))}"


def _times(status: CampaignStatus, results: CampaignResults) -> Iterator[str]:
    if results.seconds is not None:
        yield f"computed in {stopwatch(results.seconds)}"
    seconds = start_to_end(status)
    if seconds is not None:
        yield f"{duration(seconds)} from start to end"


def print_summary(store: Store, campaign: int) -> None:
    """What a finished campaign found on standard output, and what to ask next on standard error."""
    print_results(store, campaign)
    tell(next_questions(store.campaign(campaign)))


def next_questions(status: CampaignStatus) -> str:
    """What to ask of a finished campaign."""
    asked = {
        f"dear-tui report {status.id}": "all of it, to read here or to hand in",
        'dear-tui sql "from fault_summary"': "anything else, of every fault",
    }
    if not status.dropped:
        asked = {
            f"dear-tui protect {status.id}": "which layers and bits to protect",
            f"dear-tui compact {status.id}": "the fewest images that show every critical fault",
        } | asked
    width = max(map(len, asked))
    return "\n".join(("\nnext:", *(f"  {command:{width}}  {words}" for command, words in asked.items())))


def print_results(store: Store, campaign: int, with_rankings: bool = False) -> None:
    """What was run, and the tables of what was found, on standard output."""
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.analysis.campaign_results import metric_results
    from engine.analysis.glossary import once

    summary, results = read_results(store, campaign)
    status = summary.status
    say(f"campaign {status.id}: {status.name}, {status.network} on {status.dataset}")
    say_wrapped(size_in_words(status) + "".join(f", {each}" for each in _times(status, results)))
    right = int(summary.golden_correct[summary.workload].sum())
    for line in what_is_run(status, store.description(campaign), len(summary.golden_correct), right):
        say_wrapped(line)
    if results.precision is not None:
        say_wrapped(f"precision: {results.precision}")
    if results.self_check is not None:
        say_wrapped(f"self-check: {results.self_check}")
    for table in once((*results.tables(status), *(metric_results(summary).tables() if with_rankings else ()))):
        say()
        print_table(table)
    if results.unverified_parts:
        tell(
            f"\nnote: {results.unverified_parts:,} parts cannot be verified, because their receipts were lost and "
            "rebuilt from the parts themselves",
        )
