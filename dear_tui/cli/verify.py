"""`dear-tui verify`: whether the campaigns are what was written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from dear_tui.cli.options import StoreOption
from dear_tui.cli.printing.say import say, talking_console, tell

if TYPE_CHECKING:
    from engine.store import Store


def verify(
    campaign: Annotated[
        int | None, typer.Argument(metavar="ID", help="The campaign's number in `dear-tui list`.  [default: all]")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Check that campaigns are as they were written.

    Every file is checked against its hash, and its rows against each other. What is bad is renamed to *.bad; the
    campaign's config, run again, computes just that anew.

    Exit code 1 if something was bad.
    """
    from engine.store import Store, store_path
    from engine.store.layout import Layout

    path = store_path(store)
    Layout.of(path).check_is_there()
    with Store.open(path) as opened:
        with opened.lock():
            chosen = [opened.campaign(campaign)] if campaign is not None else opened.campaigns()[::-1]
            problems = sum(_verify(opened, status.id) for status in chosen)
        for note in opened.take_notes():
            tell(f"note: {note}")
    if not chosen:
        tell(f"no campaigns in {path}; start with: dear-tui demo")
    if problems:
        raise typer.Exit(1)


def _verify(store: Store, campaign: int) -> int:
    """Say how one campaign is; how many files were bad."""
    with Progress(
        TextColumn(f"campaign {campaign}"),
        BarColumn(bar_width=None),
        TextColumn("{task.description}"),
        console=talking_console(),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("")

        def on_part(done: int, parts: int) -> None:
            bar.update(task, completed=done, total=parts, description=f"{done} of {parts} parts")

        problems = store.verify(campaign, on_part)
    receipts = store.state.receipts(campaign)
    rebuilt = sum(receipt.rebuilt for receipt in receipts)
    if rebuilt:
        tell(
            f"note: campaign {campaign}: the receipts of {rebuilt} parts were lost, and with them the hashes from when "
            "the parts were written",
        )
    for problem in problems:
        say(f"campaign {campaign}: {problem}")
    if not problems:
        sealed = " and the sealed file" if store.campaign(campaign).state == "finished" else ""
        how = "agree with themselves" if rebuilt else "are as written"
        say(f"campaign {campaign}: {len(receipts)} parts{sealed} {how}")
    return len(problems)
