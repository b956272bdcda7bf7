"""What is known of a campaign that is not finished, printed: its state, how far it is, and what it found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.cli.printing.say import say, say_wrapped, tell
from dear_tui.cli.results.summary import size_in_words, what_is_run
from dear_tui.text.size import NOT_PREPARED
from engine.errors import UnreachableError
from engine.severity import COUNTS, NOT_RUN_NAMES
from engine.units import duration, percent, rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.result_table import Table
    from engine.store import CampaignStatus, Store

NEXT = {
    "queued": "dear-tui worker status tells what runs before it",
    "running": "dear-tui shows it live",
    "paused": "dear-tui resume {id} goes on with it",
    "failed": "dear-tui retry {id} goes on where it stopped",
    "cancelled": "dear-tui retry {id} goes on where it stopped",
}


def print_so_far(store: Store, status: CampaignStatus) -> None:
    """State and progress, what it runs, and what is known, on standard output."""
    from dear_tui.cli.printing.terminal_table import print_table

    say(f"campaign {status.id}: {status.name}, {status.network} on {status.dataset}")
    say_wrapped(", ".join(_state(store, status)))
    if status.error:
        say_wrapped(f"reason: {status.error}")
    if not status.is_prepared:
        say(NOT_PREPARED)
        return
    say(size_in_words(status))
    try:
        images = store.read(
            "SELECT count(*) AS data_set, count(*) FILTER (golden_correct AND rank IS NOT NULL) AS golden_right "
            f"FROM images WHERE campaign = {status.id}"
        )
        golden_right = int(images["golden_right"][0])
        for line in what_is_run(status, store.description(status.id), int(images["data_set"][0]), golden_right):
            say_wrapped(line)
        critical_faults = len(store.critical_fault_ids(status.id))
    except UnreachableError as error:
        tell(f"note: {error}")
        return
    if status.count():
        say()
        print_table(known_table(status, critical_faults))


def _state(store: Store, status: CampaignStatus) -> Iterator[str]:
    waiting = store.queue.waiting()
    place = f", number {waiting.index(status.id) + 1} in the queue" if status.id in waiting else ""
    if not status.is_prepared:
        yield f"{status.state}{place}"
        return
    yield f"{status.state}{place}: {percent(status.pairs_done, status.pairs)} done"
    yield f"{status.pairs_done:,} of {status.pairs:,} pairs"
    if status.rate:
        yield rate(status.rate)
    if status.eta_s is not None:
        yield f"ETA {duration(status.eta_s)}"


def known_table(status: CampaignStatus, critical_faults: int) -> Table:
    """A row for each count of pairs, and one for the critical faults.

    Args:
        status: of the campaign.
        critical_faults: that are known so far.
    """
    from engine.analysis.result_table import Column, Kind, Table

    done = status.count()
    counts = {name: getattr(status, name) for name in COUNTS}
    rows = [
        (name.replace("_", "-"), 100 * count / done, count, done, "pairs done")
        for name, count in counts.items()
        if count or name in COUNTS[:3]
    ]
    return Table(
        "Known so far",
        (
            Column("quantity", heading="", priority=4),
            Column("percent", Kind.PERCENT, heading="share", priority=4),
            Column("count", Kind.COUNT, priority=3),
            Column("of", Kind.COUNT, priority=2),
            Column("unit", heading="", priority=2),
        ),
        (
            *rows,
            (
                "critical faults",
                100 * critical_faults / max(status.faults, 1),
                critical_faults,
                status.faults,
                "faults",
            ),
        ),
        (
            *("so far", "pair", "masked", "non-critical", "critical", "critical fault"),
            *(name for name in NOT_RUN_NAMES if counts[name]),
        ),
    )
