"""`dear-tui study`: campaigns that belong together, from one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dear_tui.access import commands
from dear_tui.cli.options import FORMATS, AgainOption, NoStartOption, StoreOption, TryOutOption, one_of
from dear_tui.cli.printing.say import say, shown_steps, tell
from engine.errors import InputError
from engine.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.analysis.study import MemberResults
    from engine.config.campaign_config import CampaignConfig
    from engine.config.study import Member, Study
    from engine.steps import OnStep
    from engine.store import Store


NOT_QUEUED, WAITS = "not queued", "waits for all images"
"""States of members that have no campaign: of their own, or of the one that they are read off."""


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML config with a table [vary].")],
    results: Annotated[
        bool, typer.Option("--results", help="Queue nothing: show what the members have found so far, side by side.")
    ] = False,
    again: AgainOption = False,
    no_start: NoStartOption = False,
    try_out: TryOutOption = False,
    table_format: Annotated[
        str,
        typer.Option(
            "--format", metavar="|".join(FORMATS), help="How --results are written.", callback=one_of(FORMATS)
        ),
    ] = "text",
    store: StoreOption = None,
) -> None:
    """Queue the campaigns of a study, or show its results.

    The file is read and what it says is checked; what the members name is loaded by the worker. Members that have a
    finished campaign already are loaded first, to see whether anything has changed. A member that asks for some images
    of another member with all of them is not run: its results are read off that one.
    """
    from engine.config.study import load_study
    from engine.store import store_path

    path, asked = store_path(store), load_study(file)
    if results:
        _show(asked, path, table_format)
        return
    wholes = _wholes(asked)
    run = [member for member, whole in zip(asked.members, wholes, strict=True) if whole in (None, member)]
    left = [member for member, whole in zip(asked.members, wholes, strict=True) if whole not in (None, member)]
    with shown_steps() as on_step:
        submissions, notes = commands.submit_study(path, asked.name, run, on_step, again, left, try_out)
    for note in notes:
        tell(f"note: {note}")
    for submission in submissions:
        say(submission.campaign)
        tell(commands.submitted(submission))
    if left:
        are = (
            "1 member is not run: its results" if len(left) == 1 else f"{len(left)} members are not run: their results"
        )
        tell(f"{are} are read off members with all images")
    if any(map(commands.waits, submissions)):
        tell(commands.run_queue(path, no_start, commands.IN_A_SHELL))
    tell(f"then: dear-tui study {file} --results")


def _wholes(study: Study) -> list[Member | None]:
    """For each member the one with all images that tells what it would find; itself where it is one.

    None where there is none, as where the images decide which pairs are run. A member that has another one is not run.
    """
    agreed = [_but_for_selection(member.config) for member in study.members]
    whole: dict[str, Member] = {}
    for member, said in zip(study.members, agreed, strict=True):
        if member.config.workload.select == "all":
            whole.setdefault(said, member)
    return [
        whole.get(said) if member.config.run.goal == "severities" and member.config.run.precision is None else None
        for member, said in zip(study.members, agreed, strict=True)
    ]


def _but_for_selection(config: CampaignConfig) -> str:
    """What must agree for one campaign to hold the results of the other: all but its name and its images."""
    said = config.to_json() | {"name": None}
    metric = {key: said["workload"].get(key) for key in ("metric", "path", "layer")}
    return json.dumps(said | {"workload": metric}, sort_keys=True)


def _show(study: Study, path: Path, table_format: str) -> None:
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.analysis.renderers.registry import render
    from engine.analysis.study import study_table
    from engine.store import Store

    with Store.open(path, read_only=True) as opened, shown_steps() as on_step:
        members = list(_results(study, opened, on_step))
    confidences = {member.config.faults.confidence for member in study.members}
    table = study_table(f"Study {study.name}", members, confidences.pop() if len(confidences) == 1 else None)
    if table_format == "json":
        say(json.dumps([asdict(member) for member in members], indent=2))
    elif table_format == "text":
        print_table(table)
        if any(member.state == NOT_QUEUED for member in members):
            tell("members without a campaign: dear-tui study FILE queues them")
    else:
        say(render(table, table_format), end="")


@dataclass(frozen=True)
class _Kept:
    """A campaign of the store."""

    id: int
    state: str
    config: Mapping[str, Any]


def _results(study: Study, store: Store, on_step: OnStep) -> Iterator[MemberResults]:
    from engine.analysis.estimate import Confidence
    from engine.analysis.study import MemberResults, of_campaign, of_subset

    summary = lru_cache(maxsize=4)(store.summary)  # several members are read off one campaign
    kept = [_Kept(status.id, status.state, store.description(status.id)["config"]) for status in store.campaigns()]
    for number, (member, whole) in enumerate(zip(study.members, _wholes(study), strict=True)):
        on_step(Step("reading the members", number, len(study.members)))
        found = _campaign_of(member.config, kept)
        if whole is not None and (found is None or found.state != "finished"):
            full = _campaign_of(whole.config, kept)
            if full is not None and full.state == "finished" and whole is not member:
                confidence = Confidence.of(member.config.to_json())
                try:
                    yield of_subset(member.factors, member.config.workload, summary(full.id), confidence)
                except InputError as error:  # of this member alone: the others have their results
                    tell(f"{member.config.name}: {error}")
                    yield MemberResults(member.factors, None, "cannot be read off")
                continue
        if found is None:
            yield MemberResults(member.factors, None, NOT_QUEUED if whole in (None, member) else WAITS)
        elif found.state != "finished":
            yield MemberResults(member.factors, found.id, found.state)
        else:
            yield of_campaign(member.factors, summary(found.id), store.description(found.id))


def _campaign_of(config: CampaignConfig, kept: list[_Kept]) -> _Kept | None:
    """The newest finished campaign of a config, whatever its name, or the newest of any state."""
    from engine.running.same_config import is_same_config

    asked = config.to_json() | {"name": None}
    same = [
        each
        for each in kept
        if is_same_config({**each.config, "name": None}, asked) and _method(each.config) == _method(asked)
    ]
    finished = [each for each in same if each.state == "finished"]
    return next(iter(finished or same), None)


def _method(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of [run] decides what is found: the rest says how it is computed."""
    from engine.config.campaign_config import DEFAULTS, SCREENING

    run = {**DEFAULTS["run"], **config.get("run", {})}
    return {key: run.get(key) for key in ("method", "goal", "precision", "precision_of", *SCREENING)}
