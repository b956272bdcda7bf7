"""`dear-tui compare`: campaigns side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from dear_tui.cli.options import CampaignsArgument, FormatOption, StoreOption
from dear_tui.cli.printing.say import say, shown_steps
from engine.errors import InputError
from engine.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.study import MemberResults
    from engine.steps import OnStep
    from engine.store import Store


def compare(campaigns: CampaignsArgument, table_format: FormatOption = "text", store: StoreOption = None) -> None:
    """Show campaigns side by side.

    What differs in their configs, what each found, and what it cost; of one that is not finished, its state.
    """
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.analysis.estimate import Confidence
    from engine.analysis.renderers.registry import render
    from engine.analysis.study import study_table
    from engine.store import Store, store_path

    asked = list(dict.fromkeys(campaigns))
    if len(asked) < 2:
        raise InputError("compare: give two campaigns or more, such as `dear-tui compare 1 2`")
    with Store.open(store_path(store), read_only=True) as opened, shown_steps() as on_step:
        members = list(_members(opened, asked, on_step))
        stated = {Confidence.of(opened.description(each)["config"]).stated for each in asked}
    table = study_table(f"Campaigns {', '.join(map(str, asked))}", members, stated.pop() if len(stated) == 1 else None)
    if table_format == "json":
        say(json.dumps([asdict(member) for member in members], indent=2))
    elif table_format == "text":
        print_table(table)
    else:
        say(render(table, table_format), end="")


def _members(store: Store, campaigns: Sequence[int], on_step: OnStep) -> Iterator[MemberResults]:
    from engine.analysis.study import MemberResults, of_campaign, what_differs

    descriptions = [store.description(campaign) for campaign in campaigns]
    factors = what_differs([description["config"] for description in descriptions])
    for number, (campaign, description) in enumerate(zip(campaigns, descriptions, strict=True)):
        on_step(Step("reading the campaigns", number, len(campaigns)))
        status = store.campaign(campaign)
        if status.state == "finished":
            yield of_campaign(factors[number], store.summary(campaign), description)
        else:
            yield MemberResults(factors[number], campaign, status.state)
