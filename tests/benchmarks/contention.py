"""How much of its rate a campaign keeps on a machine whose cores somebody else keeps busy; makes that load itself.

    python -m tests.benchmarks.contention [CONFIG] [--rounds 3]

Idle and busy rounds take turns. Each round computes the same blocks of the campaign in a process of its own, as
`dear-tui run` does, without a store; the load is one endless loop for each core.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 8.0
"""of injecting that a round is measured over"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, nargs="?", help="another campaign than the demo's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(pairs_per_second(options.config)))
        return
    idle, busy = [], []
    for _ in range(options.rounds):
        idle.append(measured_apart(options.config))
        with cores_taken():
            busy.append(measured_apart(options.config))
        print(f"idle {idle[-1]:,.0f} pairs/s, busy {busy[-1]:,.0f} pairs/s", file=sys.stderr)
    share = median(busy) / median(idle)
    print(
        f"median of {options.rounds}: idle {median(idle):,.0f}, busy {median(busy):,.0f} pairs/s: {100 * share:.0f} %"
    )


def measured_apart(config: Path | None) -> float:
    """The rate of a new process."""
    command = [sys.executable, __file__, "--measure", *([str(config)] if config else [])]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def pairs_per_second(config: Path | None) -> float:
    """Of the campaign's blocks in rank order, from the first one on, over some seconds."""
    from dear_tui.access.demo import DEMO
    from engine.config.campaign_config import load_config, parse_config
    from engine.running.blocks.block_jobs import plan_jobs
    from engine.running.preparation import prepare

    prepared = prepare(load_config(config) if config else parse_config(DEMO, source="demo"))
    injection, faults = prepared.injection, prepared.faults_in_execution_order()
    started, pairs = time.perf_counter(), 0
    for block in plan_jobs(len(prepared.workload), injection.block_rows, [len(faults)], []):
        golden = injection.load(prepared.images(block.rank_start, block.rank_stop))
        for outcomes in injection.inject(golden, faults):
            pairs += outcomes.severity.size
            if time.perf_counter() - started > SECONDS:
                return pairs / (time.perf_counter() - started)
    return pairs / (time.perf_counter() - started)


@contextmanager
def cores_taken() -> Iterator[None]:
    """Every core has a process that never rests."""
    loops = [multiprocessing.Process(target=_loop, daemon=True) for _ in range(os.cpu_count() or 1)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def _loop() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
