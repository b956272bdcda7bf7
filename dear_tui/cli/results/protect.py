"""`dear-tui protect`: what protecting some bits costs, and what it leaves."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.cli.options import CampaignArgument, FormatOption, StoreOption
from dear_tui.cli.printing.say import say, shown_steps, tell
from dear_tui.cli.results.summary import finished_summary
from dear_tui.query.output import check_named

if TYPE_CHECKING:
    from engine.analysis.protection import CriticalSample, Repair
    from engine.steps import OnStep
    from engine.store import Store


def _share(percent: float) -> float:
    if not 0 < percent <= 1000:
        raise typer.BadParameter(f"{percent:g} is not between 0 and 1000")
    return percent


def protect(
    campaign: CampaignArgument,
    budget: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", help="Memory that protection may add, in percent of the weights'.", callback=_share
        ),
    ] = 5.0,
    steps: Annotated[
        bool, typer.Option("--steps", help="Also list the bits that each way protects, in their order.")
    ] = False,
    restrict: Annotated[
        bool,
        typer.Option(
            "--restrict",
            help="Also run faults whose value leaves its layer's range, with the range's end or zero in its place.",
        ),
    ] = False,
    curve: Annotated[
        Path | None, typer.Option(help="Write what each way leaves, step by step: .csv, a row for each step.")
    ] = None,
    table_format: FormatOption = "text",
    store: StoreOption = None,
) -> None:
    """Tell which layers and bits to protect, and what that leaves.

    Of a finished campaign: which share of (fault, image) pairs stays critical under each way of protection, and which
    layers the critical ones are in. Computed from what it found; nothing is run but what --restrict asks for.
    """
    from dear_tui.cli.printing.terminal_table import print_table
    from dear_tui.query.output import replaced_file
    from engine.analysis.glossary import once
    from engine.analysis.protection import (
        SCHEMES,
        groups_table,
        layers_table,
        plan_within,
        plans_table,
        write_frontiers,
    )
    from engine.analysis.renderers.registry import render
    from engine.store import Store, store_path

    path = store_path(store)
    check_named("--curve", curve, (".csv",), path)
    with Store.open(path, read_only=True) as opened, shown_steps() as on_step:
        sample = _sample(opened, campaign, on_step)
        repairs = _repairs(opened, campaign, sample, on_step) if restrict else []
        rates = opened.rates(campaign)
    plans = [plan_within(sample, scheme, budget / 100) for scheme in SCHEMES]
    if curve is not None:
        with replaced_file(curve, "--curve") as written:
            write_frontiers(written, sample)
    tables = [plans_table(sample, plans, budget / 100, repairs), layers_table(rates)]
    tables += [groups_table(sample, plan) for plan in plans if plan.groups and steps]
    if table_format == "json":
        known = [asdict(plan) | {"overhead": plan.overhead} for plan in plans]
        say(json.dumps({"plans": known, "repairs": [asdict(each) for each in repairs]}, indent=2))
    elif table_format != "text":
        say("\n".join(render(table, table_format) for table in tables), end="")
    else:
        for place, table in enumerate(once(tables)):
            if place:
                say()
            print_table(table)
        tell("\nnote: the same faults chose the bits: other faults leave a little more")
        if not steps:
            tell(f"next: dear-tui protect {campaign} --steps lists the bits")


def _repairs(store: Store, campaign: int, sample: CriticalSample, on_step: OnStep) -> list[Repair]:
    """Range restriction, with both values.

    Raises:
        InputError: the campaign's network, images or faults are not what they were.
    """
    from engine.analysis.protection import repair
    from engine.running.execution import prepare_as_before
    from engine.running.range_restriction import restrict_ranges

    prepared = prepare_as_before(store, campaign, on_step)
    found = restrict_ranges(prepared, sample.critical, on_step)
    outside = int(found.outside.sum())
    names = ("range restriction, to its end", "range restriction, to zero")
    return [
        repair(sample, name, outside, counts) for name, counts in zip(names, (found.clamped, found.zeroed), strict=True)
    ]


def _sample(store: Store, campaign: int, on_step: OnStep) -> CriticalSample:
    from engine.store.read.critical_sample import critical_sample

    summary = finished_summary(store, campaign, on_step)
    return critical_sample(summary, store.description(campaign), *store.fault_places(campaign))
