"""`dear-tui submit`: campaigns for the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dear_tui.access import commands
from dear_tui.cli.options import AgainOption, NoStartOption, StoreOption, TryOutOption
from dear_tui.cli.printing.say import say, shown_steps, tell


def submit(
    configs: Annotated[
        list[Path], typer.Argument(metavar="CONFIG", help="Configs of campaigns (TOML), queued in this order.")
    ],
    again: AgainOption = False,
    no_start: NoStartOption = False,
    try_out: TryOutOption = False,
    store: StoreOption = None,
) -> None:
    """Queue campaigns for the worker and print their ids.

    The files are read and what they say is checked; what they name is loaded by the worker, when it is their turn. A
    campaign that turns out to be one that the store has says so then: it ends as cancelled and names that one, which
    goes on where it had stopped. What its results depend on must be as it was: put it back, or start anew with --again.

    Starts the worker where none runs: a process of its own, which ends some seconds after the queue is empty.
    """
    from engine.config.campaign_config import load_configs
    from engine.store import store_path

    path, loaded = store_path(store), load_configs(configs)
    if try_out:
        with shown_steps() as on_step:
            submissions, notes = commands.submit(
                path, list(zip(map(str, configs), loaded, strict=True)), on_step, again
            )
    else:
        submissions, notes = commands.hand_over(path, loaded, again)
    for note in notes:
        tell(f"note: {note}")
    for submission in submissions:
        say(submission.campaign)
        tell(commands.submitted(submission))
    if any(map(commands.waits, submissions)):
        tell(commands.run_queue(path, no_start, commands.IN_A_SHELL))
