"""`dear-tui demo`: the paper's full campaign on bundled data."""

from __future__ import annotations

from typing import Annotated

import typer

from dear_tui.access.demo import DEMO
from dear_tui.cli.options import AgainOption, StoreOption
from dear_tui.cli.printing.say import shown_steps, tell


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Plain progress instead of the screens.")] = False,
    again: AgainOption = False,
    store: StoreOption = None,
) -> None:
    """Run the paper's full campaign on bundled data.

    LeNet-5 on the MNIST test set, 16,501 faults x 10,000 images. Run again, it goes on where it stopped, or shows the
    summary of the finished campaign.

    In a terminal it is queued for the worker, and the screens open on it; it goes on when they are closed.
    """
    from dear_tui.cli.terminal import is_terminal
    from engine.config.campaign_config import parse_config

    config = parse_config(DEMO, source="demo")
    if headless or not is_terminal():
        from dear_tui.cli.run import StopOnInterrupt, run_config

        run_config(config, store, StopOnInterrupt(), again)
        return

    from dear_tui.access import commands
    from dear_tui.cli.results.summary import print_summary
    from dear_tui.cli.terminal import open_terminal
    from dear_tui.worker.process import ensure_worker
    from engine.store import Store, store_path

    path = store_path(store)
    with shown_steps() as on_step:
        [submission], notes = commands.submit(path, [("", config)], on_step, again)
    for note in notes:
        tell(f"note: {note}")
    if commands.waits(submission):
        ensure_worker(path)
    open_terminal(path, submission.campaign)
    with Store.open(path, read_only=True) as opened:
        if opened.campaign(submission.campaign).state == "finished":
            print_summary(opened, submission.campaign)
