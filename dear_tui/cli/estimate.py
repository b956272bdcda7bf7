"""`dear-tui estimate`: what a campaign would take, before running it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from dear_tui.access.commands import naming
from dear_tui.cli.options import ConfigArgument, JsonOption
from dear_tui.cli.printing.say import say, say_wrapped, shown_steps
from engine.units import between, byte_count, duration, short_count

if TYPE_CHECKING:
    from engine.running.estimate import Estimate

NO_TRIFLE = 10**8
"""bytes"""

MUCH = 0.15
"""of the machine's processors"""


def estimate(config: ConfigArgument, as_json: JsonOption = False) -> None:
    """Estimate faults, pairs, operations, disk and time.

    Nothing is stored; the time is measured on this machine, for a few seconds.
    """
    from dear_tui.cli.printing.terminal_table import print_legend
    from engine.analysis.glossary import glossed
    from engine.config.campaign_config import load_config

    checked = load_config(config)
    with shown_steps() as on_step, naming(str(config)):
        from engine.running.estimate import estimate as estimate_campaign
        from engine.running.preparation import prepare

        result = estimate_campaign(prepare(checked, on_step=on_step), on_step)
    if as_json:
        say(json.dumps(asdict(result), indent=2))
        return
    for name, value in _lines(result):
        say_wrapped(f"{name:8} {value}", hanging=9)
    print_legend(glossed("population", "pair", "FLOPs", "naive"))


def _lines(result: Estimate) -> list[tuple[str, str]]:
    return [
        ("faults", f"{result.faults:,} of a population of {result.population:,}{_first_look(result)}"),
        ("injected", result.injected),
        ("images", f"{result.images:,}"),
        ("pairs", f"{result.pairs:,}"),
        ("FLOPs", f"{short_count(result.flops)} for the naive loop"),
        ("memory", result.memory_in_words + _list_memory(result)),
        ("disk", byte_count(result.disk_bytes)),
        ("time", f"{between(result.least_seconds, result.most_seconds)} on {result.device} by method {result.method}"),
        (
            "",
            f"{duration(result.setup_seconds)} of set-up, then about {duration(result.injection_seconds)} of injection"
            f"{_storing(result)}",
        ),
        *_busy(result),
    ]


def _storing(result: Estimate) -> str:
    """What writing takes, where that is a second or more."""
    return "" if result.storing_seconds < 1 else f" and {duration(result.storing_seconds)} of writing"


def _busy(result: Estimate) -> list[tuple[str, str]]:
    """That other programs were at work while it was measured, where they took much."""
    if result.others_share < MUCH:
        return []
    share = f"{100 * result.others_share:.0f} % of the processors"
    return [("", f"measured while other programs used {share}; on an idle machine it is less")]


def _first_look(result: Estimate) -> str:
    """After how many a campaign with a precision may be done; the rest of what is said is of all faults."""
    return "" if result.first_look is None else f"; precise enough after {result.first_look:,} at the earliest"


def _list_memory(result: Estimate) -> str:
    """What the list of faults takes beside, where that is no trifle."""
    if result.list_memory < NO_TRIFLE:
        return ""
    return f", and {byte_count(result.list_memory)} for the list of faults"
