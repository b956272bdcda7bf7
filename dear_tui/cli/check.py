"""`dear-tui check`: whether a config's method gives what the plain loop gives on its network."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.access.commands import naming
from dear_tui.cli.options import ConfigArgument, JsonOption
from dear_tui.cli.printing.say import say, say_wrapped, shown_steps
from engine.errors import InputError

if TYPE_CHECKING:
    from engine.injection.check.self_check import CheckResult
    from engine.injection.injection import Injection


def check(
    config: ConfigArgument,
    pairs: Annotated[int, typer.Option("--pairs", min=1, help="How many (fault, image) pairs to compare.")] = 20_000,
    as_json: JsonOption = False,
) -> None:
    """Compare a method with the plain loop, pair by pair.

    The plain loop flips the bit in an untouched copy of the network, runs all of it and restores the bit. Every
    campaign does this before it starts, as `[run] check` says; here it goes on for as many pairs as you like. Where a
    layer does not agree, its faults fall back to a slower method that does. Nothing is stored.

    Exits with 2 where the network cannot be run at all, such as one that draws random numbers.
    """
    from engine.config.campaign_config import load_config

    checked = load_config(config)
    try:
        with shown_steps() as on_step, naming(str(config)):
            from engine.running.preparation import prepare
            from engine.running.proof import prove

            prepared = prepare(checked, on_step=on_step)
            result = prove(prepared, on_step, pairs=pairs)
    except InputError as error:
        if as_json:
            say(json.dumps({"pairs": 0, "differences": 0, "fallbacks": [], "refused": str(error)}, indent=2))
        raise
    if as_json:
        say(json.dumps(asdict(result) | {"refused": None}, indent=2))
        return
    for note in (*prepared.notes, *prepared.injection.notes):
        say_wrapped(note)
    for line in _lines(prepared.injection, result):
        say_wrapped(line)


def _lines(injection: Injection, result: CheckResult) -> list[str]:
    verdict = [f"{result.sentence}, in {result.seconds:.1f} s"]
    verdict += [f"faults in {each.layer} are run by {each.method}: {each.reason}" for each in result.fallbacks]
    used = dict.fromkeys(injection.method_of(layer) for layer in range(len(injection.names)))
    return [*verdict, f"campaigns of this config are right by the plain loop: they use {' and '.join(used)}"]
