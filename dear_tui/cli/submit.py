"""`dear-tui submit`: campaigns for the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dear_tui.access import commands
from dear_tui.cli.options import AgainOption, NoStartOption, StoreOption
from dear_tui.cli.printing.say import say, shown_steps, tell


def submit(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG", help="TOML files, queued in this order.")],
    again: AgainOption = False,
    no_start: NoStartOption = False,
    store: StoreOption = None,
) -> None:
    """Queue campaigns for the worker and print their ids.

    All configs are tried out first, and nothing is queued unless all can run. A campaign that stopped before goes on,
    unless something that its results depend on has changed since: put it back, or start anew with --again.

    Starts the worker where none runs: a process of its own, which ends some seconds after the queue is empty.
    """
    from engine.config.campaign_config import load_configs
    from engine.store import store_path

    path = store_path(store)
    named = list(zip(map(str, configs), load_configs(configs), strict=True))
    with shown_steps() as on_step:
        submissions, notes = commands.submit(path, named, on_step, again)
    for note in notes:
        tell(f"note: {note}")
    for submission in submissions:
        say(submission.campaign)
        tell(commands.submitted(submission))
    if any(map(commands.waits, submissions)):
        tell(commands.run_queue(path, no_start, commands.IN_A_SHELL))
