"""What writing parts adds to the demo campaign's compute: `python -m tests.benchmarks.writing`, by hand.

The same pairs are computed with their outcomes dropped and with parts written, by turns. Wants the machine to itself
for a minute and a half.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from dear_tui.access.demo import DEMO
from dear_tui.cli.printing.terminal_table import print_table
from engine.analysis.result_table import Column, Kind, Table
from engine.config.campaign_config import load_config, parse_config
from engine.injection.check.self_check import CheckResult
from engine.running.blocks.block_jobs import plan_jobs
from engine.running.campaign import new_campaign, run_campaign
from engine.running.preparation import prepare
from engine.store import Store

if TYPE_CHECKING:
    from engine.errors import DiskFullError
    from engine.injection.injection import Injection
    from engine.running.preparation import PreparedCampaign
    from engine.running.progress import Progress


@dataclass(frozen=True)
class Spent:
    """On one campaign."""

    wall: float
    cpu: float
    """of all threads together"""


class Stopwatch:
    """Of this process."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), self._used()

    def read(self) -> Spent:
        return Spent(time.monotonic() - self._wall, self._used() - self._cpu)

    @staticmethod
    def _used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime


class NoRoom:
    """A full disk ends the measurement."""

    def wait(self, error: DiskFullError) -> None:
        raise error

    def found(self) -> None: ...


NOT_CHECKED = CheckResult(pairs=0, differences=0, undecided=0, masked=0, fallbacks=(), seconds=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, nargs="?", help="another campaign than the demo's")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    prepared = prepare(load_config(options.config) if options.config else parse_config(DEMO, source="demo"))
    injection = prepared.injection
    alone, written, seals = [], [], []
    for _ in range(options.rounds):
        alone.append(compute(prepared, injection))
        spent, seal = compute_and_write(prepared)
        written.append(spent)
        seals.append(seal)
        print(alone[-1], written[-1], f"seal {seal.wall:.2f} s, {seal.cpu:.2f} s of CPU", file=sys.stderr)
    rows = {
        "computing alone": spent_in_the_middle(alone),
        "computing and writing parts": spent_in_the_middle(written),
        "seal": spent_in_the_middle(seals),
    }
    without = rows["computing alone"].wall
    columns = (
        Column("step", heading=f"{prepared.pairs / 1e6:.1f} M pairs, middle of {options.rounds}"),
        Column("wall_s", Kind.SECONDS, "wall"),
        Column("cpu_s", Kind.SECONDS, "CPU"),
        Column("percent_added", Kind.PERCENT, "added"),
    )
    added = {name: 100 * (spent.wall / without - 1) for name, spent in rows.items()} | dict.fromkeys(
        ("computing alone", "seal")
    )
    print_table(Table("", columns, tuple((name, one.wall, one.cpu, added[name]) for name, one in rows.items())))


def compute(prepared: PreparedCampaign, injection: Injection) -> Spent:
    """All pairs, as a campaign without a store would."""
    faults = prepared.faults_in_execution_order()
    watch = Stopwatch()
    for block in plan_jobs(len(prepared.workload), injection.block_rows, [len(faults)], []):
        golden = injection.load(prepared.images(block.rank_start, block.rank_stop))
        for _ in injection.inject(golden, faults):
            pass
    return watch.read()


def compute_and_write(prepared: PreparedCampaign) -> tuple[Spent, Spent]:
    """The whole campaign: until the last part is committed, and from there until it is sealed."""
    spent: list[Spent] = []
    watch = Stopwatch()

    def on_progress(progress: Progress) -> None:
        if progress.masked + progress.non_critical + progress.critical == progress.pairs:
            spent.append(watch.read())

    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "store")
        with store.lock():
            campaign = store.create(new_campaign(prepared, NOT_CHECKED))
            watch = Stopwatch()
            run_campaign(
                prepared,
                NOT_CHECKED,
                store,
                campaign,
                on_progress=on_progress,
                should_stop=lambda: False,
                room=NoRoom(),
                on_note=lambda _note: None,
            )
            end = watch.read()
        store.close()
    return spent[0], Spent(end.wall - spent[0].wall, end.cpu - spent[0].cpu)


def spent_in_the_middle(rounds: list[Spent]) -> Spent:
    return Spent(median(spent.wall for spent in rounds), median(spent.cpu for spent in rounds))


if __name__ == "__main__":
    main()
