"""`dear-tui pause`, `resume`, `cancel`, `retry`, `move`, `delete`: what is asked of one campaign."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.access import commands
from dear_tui.cli.options import CampaignArgument, NoStartOption, StoreOption
from dear_tui.cli.printing.say import tell
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store import Action, CampaignStatus


def pause(campaign: CampaignArgument, store: StoreOption = None) -> None:
    """Pause a campaign until it is resumed.

    A queued one waits. A running one stops after the part being computed, half a minute at most, with nothing lost; the
    worker takes the next.
    """
    _ask("pause", campaign, store)


def resume(campaign: CampaignArgument, no_start: NoStartOption = False, store: StoreOption = None) -> None:
    """Queue a paused campaign again.

    It goes on where it stopped, and has the place in the queue that it had. Starts the worker where none runs.
    """
    _ask("resume", campaign, store, no_start)


def cancel(campaign: CampaignArgument, store: StoreOption = None) -> None:
    """Cancel a campaign; what it computed is kept.

    `dear-tui retry` would go on from there. A running one stops after the part being computed, half a minute at most.
    """
    _ask("cancel", campaign, store)


def retry(campaign: CampaignArgument, no_start: NoStartOption = False, store: StoreOption = None) -> None:
    """Queue a failed or cancelled campaign again.

    It goes on where it stopped, after the others. Starts the worker where none runs.
    """
    _ask("retry", campaign, store, no_start)


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
    """Give a campaign another name; its config keeps the one that it was submitted with."""
    from engine.store import store_path

    tell(commands.rename(store_path(store), campaign, name))


def note(
    campaign: CampaignArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to keep, in the place of an earlier note.")],
    store: StoreOption = None,
) -> None:
    """Keep a note of your own on a campaign; an empty one takes it away."""
    from engine.store import store_path

    tell(commands.note(store_path(store), campaign, text))


def delete(
    campaign: CampaignArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreOption = None,
) -> None:
    """Delete a campaign with its results, after asking.

    A running one stops after the part being computed, and is then deleted.
    """
    from engine.store import store_path

    if not yes and not _confirmed(commands.status(store_path(store), campaign)):
        tell("nothing was deleted")
        raise typer.Exit(1)
    _ask("delete", campaign, store)


def _ask(action: Action, campaign: int, store: Path | None, no_start: bool = False) -> None:
    from engine.store import store_path

    for said in commands.ask(store_path(store), action, campaign, no_start, commands.IN_A_SHELL):
        tell(said)


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
