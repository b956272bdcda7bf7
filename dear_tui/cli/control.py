"""`dear-tui pause`, `resume`, `cancel`, `retry`, `move`, `delete`: what is asked of one campaign."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.cli.options import NoStartOption, StoreOption
from dear_tui.cli.submit import run_queue
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store import Action, CampaignStatus, Effect
    from engine.store.queue import Queue

CampaignArgument = Annotated[int, typer.Argument(metavar="ID", help="The campaign's number in `dear-tui list`.")]


def pause(campaign: CampaignArgument, store: StoreOption = None) -> None:
    """Pause a campaign until it is resumed.

    A queued one waits. A running one stops after the part being computed, half a minute at most, with nothing lost; the
    worker takes the next.
    """
    _request("pause", campaign, store)


def resume(campaign: CampaignArgument, no_start: NoStartOption = False, store: StoreOption = None) -> None:
    """Queue a paused campaign again.

    It goes on where it stopped, after the others. Starts the worker where none runs.
    """
    _request_to_run("resume", campaign, no_start, store)


def cancel(campaign: CampaignArgument, store: StoreOption = None) -> None:
    """Cancel a campaign; what it computed is kept.

    `dear-tui retry` would go on from there. A running one stops after the part being computed, half a minute at most.
    """
    _request("cancel", campaign, store)


def retry(campaign: CampaignArgument, no_start: NoStartOption = False, store: StoreOption = None) -> None:
    """Queue a failed or cancelled campaign again.

    It goes on where it stopped, after the others. Starts the worker where none runs.
    """
    _request_to_run("retry", campaign, no_start, store)


def move(
    campaign: CampaignArgument,
    position: Annotated[int, typer.Argument(metavar="POSITION", min=1, help="Its place in the queue, 1 = next.")],
    store: StoreOption = None,
) -> None:
    """Move a queued campaign to another place in the queue."""
    place = _queue(campaign, store).move(campaign, position)
    print(f"campaign {campaign} is number {place} in the queue", file=sys.stderr)


def delete(
    campaign: CampaignArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreOption = None,
) -> None:
    """Delete a campaign with its results, after asking.

    A running one stops after the part being computed, and is then deleted.
    """
    queue = _queue(campaign, store)
    if not yes and not _confirmed(_status(campaign, store)):
        print("nothing was deleted", file=sys.stderr)
        raise typer.Exit(1)
    _say("delete", campaign, queue.request("delete", campaign))


def _request(action: Action, campaign: int, store: Path | None) -> Effect:
    effect = _queue(campaign, store).request(action, campaign)
    _say(action, campaign, effect)
    return effect


def _request_to_run(action: Action, campaign: int, no_start: bool, store: Path | None) -> None:
    from engine.store import store_path

    _request(action, campaign, store)
    if _status(campaign, store).state == "queued":
        run_queue(store_path(store), no_start)


def _status(campaign: int, store: Path | None) -> CampaignStatus:
    """The campaign; a store that is not there is not made by asking."""
    from engine.store import Store, store_path

    opened = Store.open(store_path(store), read_only=True)
    try:
        return opened.campaign(campaign)
    finally:
        opened.close()


def _queue(campaign: int, store: Path | None) -> Queue:
    from engine.store import Store, store_path

    _status(campaign, store)
    return Store.open(store_path(store)).queue


def _say(action: Action, campaign: int, effect: Effect) -> None:
    from engine.store import Effect
    from engine.store.commands import RULES

    rule = RULES[action]
    state = "deleted" if action == "delete" else rule.leads_to
    match effect:
        case Effect.DONE:
            said = f"is {state}"
        case Effect.ORDERED:
            said = f"is running; it is {state} after the part being computed"
        case Effect.NOTHING:
            said = f"is {state} already"
    print(f"campaign {campaign} {said}", file=sys.stderr)


def _confirmed(status: CampaignStatus) -> bool:
    """Ask on the terminal.

    Raises:
        InputError: there is none.
    """
    what = f"campaign {status.id}, {status.name}, {status.state}, {status.pairs_done:,} pairs"
    if not sys.stdin.isatty():
        raise InputError(f"{what}: there is no terminal to ask on whether to delete it for good; add --yes")
    print(f"delete {what}, for good? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
