"""`dear-tui bench`: the methods side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from dear_tui.access.commands import naming
from dear_tui.cli.options import ConfigArgument, JsonOption
from dear_tui.cli.printing.say import say, say_wrapped, shown_steps
from engine.units import percent, short_count

if TYPE_CHECKING:
    from engine.running.benchmark import Benchmark


def bench(config: ConfigArgument, as_json: JsonOption = False) -> None:
    """Measure every method against the naive loop.

    All on the config's own network, faults and images: alternating rounds in one run, medians, and the ratio to the
    naive loop at its best batch size. Nothing is stored.
    """
    from engine.config.campaign_config import load_config

    checked = load_config(config)
    with shown_steps() as on_step, naming(str(config)):
        from engine.running.benchmark import benchmark
        from engine.running.preparation import prepare

        result = benchmark(prepare(checked, on_step=on_step), on_step)
    if as_json:
        say(json.dumps(asdict(result), indent=2))
    else:
        print_benchmark(result)


def print_benchmark(result: Benchmark) -> None:
    """For people: a line of what was measured on, and a row for each method."""
    from dear_tui.cli.printing.terminal_table import print_table

    say_wrapped(
        f"{result.network} on {result.dataset}, {result.device} with {result.threads} threads: "
        f"{result.faults:,} faults x {result.images:,} images"
    )
    say_wrapped(
        f"masked before channels mix: {percent(result.masked_early, 1)} of pairs; "
        f"matrix rate: {short_count(result.matrix_rate)} multiplications/s"
    )
    say()
    print_table(result.table())
