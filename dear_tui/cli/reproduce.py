"""`dear-tui reproduce`: run what a report tells of again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dear_tui.cli.printing.say import say, tell


def reproduce(
    report: Annotated[Path, typer.Argument(metavar="REPORT.json", help="Written by `dear-tui report ID --out DIR`.")],
) -> None:
    """Run the campaigns of a report again, and compare.

    Tells whether the same pairs are critical. What the report's config names (weights, images, lists) is loaded from
    where it was. Exit status 0: all reproduce; 1: one does not. Nothing is kept.
    """
    from dear_tui.cli.run import ProgressLine, StopOnInterrupt
    from dear_tui.terminal.signals import STOPS, handled
    from engine.running.reproduction import read_reported
    from engine.running.reproduction import reproduce as run_again

    stop, all_same = StopOnInterrupt(), True
    for reported in read_reported(report):
        try:
            with ProgressLine(stop) as line, handled(STOPS, stop.hear):
                found = run_again(reported, str(report), line, lambda: stop.requested)
        except KeyboardInterrupt:
            found = None
        if found is None:
            tell("stopped: nothing is known, and nothing was kept")
            raise typer.Exit(130)
        say(found.sentence)
        all_same = all_same and found.is_same
    if not all_same:
        raise typer.Exit(1)
