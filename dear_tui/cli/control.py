"""`dear-tui pause`, `resume`, `cancel`, `retry`, `move`, `delete`: what is asked of campaigns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.access import commands
from dear_tui.cli.each import for_each
from dear_tui.cli.options import CampaignArgument, CampaignsArgument, NoStartOption, StoreOption
from dear_tui.cli.printing.say import tell
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.store import Action, CampaignStatus


def pause(campaigns: CampaignsArgument, store: StoreOption = None) -> None:
    """Pause campaigns until they are resumed.

    A queued one waits. A running one stops after the part being computed, half a minute at most, with nothing lost; the
    worker takes the next.
    """
    _ask("pause", campaigns, store)


def resume(campaigns: CampaignsArgument, no_start: NoStartOption = False, store: StoreOption = None) -> None:
    """Queue paused campaigns again.

    Each goes on where it stopped, and has the place in the queue that it had. Starts the worker where none runs.
    """
    _ask("resume", campaigns, store, no_start)


def cancel(campaigns: CampaignsArgument, store: StoreOption = None) -> None:
    """Cancel campaigns; what they computed is kept.

    `dear-tui retry` would go on from there. A running one stops after the part being computed, half a minute at most.
    """
    _ask("cancel", campaigns, store)


def retry(campaigns: CampaignsArgument, no_start: NoStartOption = False, store: StoreOption = None) -> None:
    """Queue failed or cancelled campaigns again.

    Each goes on where it stopped, after the others. Starts the worker where none runs.
    """
    _ask("retry", campaigns, store, no_start)


def move(
    campaign: CampaignArgument,
    position: Annotated[int, typer.Argument(metavar="POSITION", min=1, help="Its place in the queue, 1 = next.")],
    store: StoreOption = None,
) -> None:
    """Move a queued campaign to another place in the queue."""
    from engine.store import store_path

    tell(commands.move(store_path(store), campaign, position))


def rename(
    campaign: CampaignArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.")],
    store: StoreOption = None,
) -> None:
    """Give a campaign another name.

    Its config keeps the one that it was submitted with.
    """
    from engine.store import store_path

    tell(commands.rename(store_path(store), campaign, name))


def note(
    campaign: CampaignArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to keep, in the place of an earlier note.")],
    store: StoreOption = None,
) -> None:
    """Keep a note of your own on a campaign.

    An empty one takes it away.
    """
    from engine.store import store_path

    tell(commands.note(store_path(store), campaign, text))


def delete(
    campaigns: CampaignsArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreOption = None,
) -> None:
    """Delete campaigns with their results, after asking for each.

    A running one stops after the part being computed, and is then deleted.
    """
    from engine.store import store_path

    path = store_path(store)

    def delete_one(campaign: int) -> None:
        if not yes and not _confirmed(commands.status(path, campaign)):
            tell("nothing was deleted")
            raise typer.Exit(1)
        for said in commands.ask(path, "delete", campaign):
            tell(said)

    for_each(campaigns, delete_one)


def _ask(action: Action, campaigns: Sequence[int], store: Path | None, no_start: bool = False) -> None:
    from engine.store import store_path

    path, told = store_path(store), set[str]()

    def ask_one(campaign: int) -> None:
        for said in commands.ask(path, action, campaign, no_start, commands.IN_A_SHELL):
            if said not in told:  # of the worker once is enough
                tell(said)
            told.add(said)

    for_each(campaigns, ask_one)


def _confirmed(status: CampaignStatus) -> bool:
    """Ask on the terminal.

    Raises:
        InputError: there is none.
    """
    what = f"campaign {status.id}, {status.name}, {status.state}, {status.pairs_done:,} pairs"
    if not sys.stdin.isatty():
        raise InputError(f"{what}: there is no terminal to ask on whether to delete it for good; add --yes")
    tell(f"delete {what}, for good? [y/N] ", end="", flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except UnicodeDecodeError:  # of a terminal that writes otherwise: it is no yes
        return False
