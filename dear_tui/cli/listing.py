"""`dear-tui list`: every campaign of the store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dear_tui.access.commands import DOING
from dear_tui.access.study_reader import membership_of
from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.cli.printing.say import say, shown_steps, tell
from dear_tui.text.times import start_to_end
from engine.errors import UnreachableError
from engine.severity import NOT_RUN_NAMES
from engine.steps import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.analysis.result_table import Table
    from engine.store import Action, CampaignStatus, Outcome, Store


@dataclass(frozen=True)
class Found:
    """What was found of a campaign, beside what its status counts; None where it is not known."""

    critical_faults: int | None
    """so far, where it is not finished"""
    outcome: Outcome | None
    computing_s: float | None
    """what computing took, over all runs"""
    problem: str = ""
    """why it cannot be read"""

    def to_json(self) -> dict[str, Any]:
        """The fields of `list --json`."""
        row = None if self.outcome is None else self.outcome.table_one
        return {
            "critical_faults": self.critical_faults,
            "clean_accuracy": None if row is None else row.clean_accuracy,
            "faulty_accuracy": None if row is None else row.faulty_accuracy,
            "faults_lowering_accuracy": None if self.outcome is None else self.outcome.lowering_faults,
            "computing_s": self.computing_s,
        }


def list_campaigns(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the campaigns, newest first."""
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.store import Store, store_path

    path = store_path(store)
    with Store.open(path, read_only=True) as opened:
        campaigns = opened.campaigns()
        studies = {status.id: membership_of(opened, status.id).study or None for status in campaigns}
        found = _all_found(opened, campaigns)
        if as_json:
            rows = [asdict(each) | {"study": studies[each.id]} | found[each.id].to_json() for each in campaigns]
            say(json.dumps(rows, indent=2))
        elif campaigns:
            waiting = opened.queue.waiting()
            print_table(campaign_table(campaigns, waiting, studies, found, opened.orders()))
            for status in campaigns:
                for problem in filter(None, (status.error, found[status.id].problem)):
                    tell(f"campaign {status.id}: {problem}")
            worker, left = opened.worker(), [] if opened.holder() else opened.queue.left()
            for campaign in left:
                tell(f"campaign {campaign}: its worker ended at work; the next one goes on with it")
            if (waiting or left) and not worker.running:
                tell("no worker runs; dear-tui worker start runs the queue")
            elif waiting and worker.waits_for:
                tell(f"the worker waits for {worker.turn_before}")
        else:
            tell(f"no campaigns in {path}; start with: dear-tui demo")


def _all_found(store: Store, campaigns: list[CampaignStatus]) -> dict[int, Found]:
    found: dict[int, Found] = {}
    with shown_steps() as on_step:
        for place, status in enumerate(campaigns):
            on_step(Step("reading what they found", place, len(campaigns)))
            try:
                found[status.id] = _found(store, status)
            except UnreachableError as error:
                found[status.id] = Found(None, None, None, str(error))
    return found


def _found(store: Store, status: CampaignStatus) -> Found:
    seconds = [receipt.seconds for receipt in store.state.receipts(status.id)]
    known = [each for each in seconds if each is not None]
    computing = sum(known) if known and len(known) == len(seconds) else None
    if status.state == "finished":
        outcome = store.outcome(status.id)
        return Found(outcome.table_one.critical_faults, outcome, computing)
    return Found(len(store.critical_fault_ids(status.id)) if status.critical else 0, None, computing)


def campaign_table(
    campaigns: list[CampaignStatus],
    waiting: list[int],
    studies: Mapping[int, str | None] = MappingProxyType({}),
    found: Mapping[int, Found] = MappingProxyType({}),
    asked: Mapping[int, Action] = MappingProxyType({}),
) -> Table:
    """A row for each campaign; rate and ETA only where something runs, pairs that were not run only where there are.

    Studies and results, too, only where there are some.
    """
    from engine.analysis.result_table import Column, Kind, Table

    results = (
        Column("critical_faults", Kind.COUNT, priority=7, term="critical fault"),
        Column("accuracy_lost_points", Kind.NUMBER, "points lost", priority=5, term="points lost"),
        Column("took_s", Kind.SECONDS, "took", priority=4, term="took"),
        Column("computing_s", Kind.SECONDS, "computed in", priority=2, term="computed in"),
    )
    has_results = any(each.critical_faults is not None for each in found.values())

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
            *(results if has_results else ()),
            Column("masked", Kind.COUNT, priority=1, term="masked"),
            Column("non_critical", Kind.COUNT, heading="non-critical", priority=1, term="non-critical"),
            Column("critical", Kind.COUNT, heading="critical pairs", priority=7, term="critical"),
            *(Column(name, Kind.COUNT, priority=1, term=name) for name in not_run),
        ),
        tuple(
            (status.id, status.name, _state(status, waiting, asked.get(status.id)),
             *((studies[status.id],) if any(studies.values()) else ()), status.network, status.dataset, status.select,
             status.faults or None, status.images or None,
             100 * status.pairs_done // max(1, status.pairs),  # 100 % is complete
             *((status.rate or None, status.eta_s) if runs else ()),
             *(_results(status, found.get(status.id)) if has_results else ()),
             status.masked, status.non_critical, status.critical, *(getattr(status, name) for name in not_run))
            for status in campaigns
        ),
        ("pair",),
    )  # fmt: skip


def _results(status: CampaignStatus, found: Found | None) -> tuple[float | None, ...]:
    row = found.outcome.table_one if found and found.outcome else None
    lost = row.clean_accuracy - row.faulty_accuracy if row and not status.dropped else None
    return (
        found.critical_faults if found else None,
        lost,
        start_to_end(status),
        found.computing_s if found else None,
    )


def _state(status: CampaignStatus, waiting: list[int], asked: Action | None) -> str:
    """With the place in the queue, 1 = next; or what is asked of it and not done yet."""
    if asked and status.state == "running":
        return DOING[asked]
    return f"{status.state} {waiting.index(status.id) + 1}" if status.id in waiting else status.state
