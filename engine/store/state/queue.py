"""The queue of campaigns and what is asked of them: rows of state.sqlite that all processes share."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from engine.errors import InputError, UnreachableError
from engine.store.state.commands import RULES, Action, Effect, check_applies
from engine.store.state.heartbeat import WorkerStatus
from engine.store.state.state import STOP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.store.records import NewCampaign, State
    from engine.store.state.lock import Holder
    from engine.store.state.state import StateFile
    from engine.store.store import Store

MOST_DEATHS = 3
"""of the process that ran a campaign, without a part in between, after which it has failed and is not run for ever"""


@dataclass(frozen=True)
class QueueView:
    """The queue at one moment: what waits, what is asked of running campaigns, and who is at work."""

    waiting: tuple[int, ...] = ()
    """first to run first"""
    asked: Mapping[int, Action] = field(default_factory=dict)
    """running campaign -> the strongest command that it has not obeyed yet"""
    left: tuple[int, ...] = ()
    """campaigns of the queue whose worker ended without a word; the next one goes on with them"""
    holder: Holder | None = None
    """the process at work in the store"""
    worker: WorkerStatus = field(default_factory=lambda: WorkerStatus(running=False))
    stops: int = 0
    """how often the worker has been asked to end"""


@dataclass(frozen=True)
class Submission:
    """A campaign that was submitted."""

    campaign: int
    known_as: str | None
    """the state in which it was in the store before; None = it is new"""


class Queue:
    """Campaigns wait in order; one is taken at a time, and stays first until it has ended or was taken out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _state(self) -> StateFile:
        return self._store.state

    def waiting(self) -> list[int]:
        """The queued campaigns, first to run first."""
        return self._state.waiting()

    def is_empty(self) -> bool:
        """Whether nothing waits, nor is left behind."""
        return not self.waiting() and not self.left()

    def left(self) -> list[int]:
        """What was taken from the queue and, where no process is at work, is gone on with by the next worker."""
        return [campaign for campaign, from_queue in self._state.running().items() if from_queue]

    def submit(self, new: NewCampaign, again: bool = False, check: Callable[[], object] | None = None) -> Submission:
        """Queue a campaign, written where it is new; one that stopped is queued again, others are left as they are.

        Args:
            new: what is to be run.
            again: make a new campaign in any case.
            check: see `Store.find_or_create`.
        """
        known = None if again else self._store.find(new.fingerprint)
        campaign = self._store.create(new) if again else self._store.find_or_create(new, check).id
        if known is not None and known.state not in ("running", "finished"):
            self._store.restore(campaign, new)
        with self._state.transaction():
            if self._present_state(campaign) not in ("running", "finished"):
                self._append(campaign)
        self._describe(campaign)
        return Submission(campaign, None if known is None else known.state)

    def go_on(self, campaign: int) -> Submission:
        """Queue a campaign that is not finished again; one that is queued or running already is left as it is."""
        state = self._present_state(campaign)
        if state not in ("queued", "running"):
            self.request("resume" if state == "paused" else "retry", campaign)
        return Submission(campaign, state)

    def take(self) -> int | None:
        """The first of the queue, running from now on; None where nothing waits. Under the store's lock."""
        with self._state.transaction():
            campaign = next(iter(self.waiting()), None)
            if campaign is not None:
                self._state.set_state(campaign, "running", None)
        if campaign is not None:
            self._describe(campaign)
        return campaign

    def settle(self, campaign: int, state: State, error: str | None = None) -> bool:
        """A campaign has stopped running, and is in this state unless a command says otherwise.

        Args:
            campaign: its id.
            state: "queued" puts it before all others; "finished" is what sealing has set already.
            error: why it failed.

        Returns:
            Whether it is still there: one that was to be deleted is not.
        """
        with self._state.transaction():
            order = self.order(campaign)
            self._state.remove_commands(campaign)
            self._state.set_deaths(campaign, 0)
            if order is not None and state in ("queued", "paused"):
                state = RULES[order].leads_to
            if state != "finished":
                self._state.set_state(campaign, state, error)
            if state == "queued":
                self._state.put_first(campaign)
        if order == "delete":
            self._store.remove(campaign)
        else:
            self._describe(campaign)
        return order != "delete"

    def recover(self) -> None:
        """Settle what a process that is dead by now was running; what came from the queue goes on. Under the lock.

        A campaign at which one process after the other died at the same place has failed; one that was asked to end
        did not die.
        """
        for campaign in self._state.queued_by_nobody():
            self._state.set_state(campaign, "paused", not_queued(campaign))
        lives = {os.getpid(), self._store.worker().pid}
        asked = set(self._state.stops())
        died = 0 if asked - lives else 1
        for campaign, from_queue in self._state.running().items():
            deaths = self._state.deaths(campaign) + died
            if not from_queue:
                self.settle(campaign, "paused")
            elif deaths >= MOST_DEATHS:
                self.settle(campaign, "failed", died_too_often(campaign))
            elif self.settle(campaign, "queued"):
                self._state.set_deaths(campaign, deaths)
        for pid in asked - lives:
            self._state.remove_stops(pid)

    def settle_running(self) -> None:
        """Put back into the queue what this process could not settle, for want of room. Under the lock."""
        for campaign in self._state.running():
            self.settle(campaign, "queued")

    def request(self, action: Action, campaign: int) -> Effect:
        """Do to a campaign what was asked, or have the process that runs it do so.

        Raises:
            InputError: there is no such campaign, or its state does not allow it.
        """
        self._store.campaign(campaign)
        with self._state.transaction():
            state, rule = self._present_state(campaign), RULES[action]
            if action == "pause" and state == "paused" and campaign in self.left():
                state = "queued"  # as long as nobody says otherwise
            if state == "running" and rule.stops:
                self._state.add_command(action, campaign)
                return Effect.ORDERED
            if state == "running" and action == "resume":
                return Effect.DONE if self._state.remove_commands(campaign, "pause") else Effect.NOTHING
            if state == rule.leads_to and action != "delete":
                return Effect.NOTHING
            check_applies(action, state, campaign)
            if rule.leads_to == "queued":
                self._append(campaign)
            else:
                self._state.set_state(campaign, rule.leads_to, None)
        if action == "delete":
            self._store.remove(campaign)
        else:
            self._describe(campaign)
        return Effect.DONE

    def move(self, campaign: int, position: int) -> int:
        """Give a queued campaign another place, 1 = next; returns its place, the last where there are fewer.

        Raises:
            InputError: there is no such campaign, or it is not queued.
        """
        status = self._store.campaign(campaign)
        with self._state.transaction():
            waiting = self.waiting()
            if campaign not in waiting:
                raise InputError(f"campaign {campaign} is {status.state}; only one that is queued can be moved")
            waiting.remove(campaign)
            waiting.insert(min(position - 1, len(waiting)), campaign)
            for place, one in enumerate(waiting, start=1):
                self._state.set_position(one, place)
        return waiting.index(campaign) + 1

    def order(self, campaign: int) -> Action | None:
        """What is asked of a running campaign and not obeyed yet; the strongest where it is several things."""
        return self.orders().get(campaign)

    def orders(self) -> dict[int, Action]:
        """Running campaign -> the strongest of what is asked of it and not obeyed yet."""
        return self._store.orders()

    def stop_worker(self) -> int:
        """Ask the worker to end; returns how often it has been asked by now: at the second time it ends at once.

        Raises:
            UnreachableError: there is none.
        """
        pid = self._store.worker().pid
        if pid is None:
            holder = self._store.holder()
            at_work = f"; {holder}" if holder else ""
            raise UnreachableError(f"{self._state.path.parent}: no worker runs in this store{at_work}")
        self.note_stop(pid)
        return self.stops(pid)

    def note_stop(self, pid: int) -> None:
        """A worker is asked to end, by a command or a signal; what it was running is no death of its then."""
        self._state.add_command(STOP, pid)

    def stops(self, pid: int) -> int:
        """How often a worker has been asked to end."""
        return self._state.stops().count(pid)

    def _present_state(self, campaign: int) -> State:
        """Its state, where "running" is true only while a process is at it; in a transaction, nobody can change it."""
        state = cast("State", self._state.campaign_row(campaign).state)
        return "paused" if state == "running" and self._store.holder() is None else state

    def _append(self, campaign: int) -> None:
        self._state.set_state(campaign, "queued", None)
        self._state.put_last(campaign)

    def _describe(self, campaign: int) -> None:
        """Write the state to campaign.json too; it is a copy, so a full disk does not make the change fail."""
        with suppress(UnreachableError):
            self._store.describe_state(campaign)


def not_queued(campaign: int) -> str:
    """What is said of a campaign that was written and neither queued nor run: its process ended between the two."""
    return f"its process ended before it was queued or run; `dear-tui resume {campaign}` queues it"


def died_too_often(campaign: int) -> str:
    """Why a campaign has failed at which one process after the other died."""
    return (
        f"its process died {MOST_DEATHS} times without a part in between, killed for its memory or crashed; see "
        f"worker.log and the system's log, perhaps lower [run] memory, then `dear-tui retry {campaign}`"
    )
