"""What a person asks of a store, and what comes of it in sentences: the same from commands and from screens."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from engine.errors import InputError, NoDeviceError
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.config.campaign_config import CampaignConfig
    from engine.config.study import Member
    from engine.steps import OnStep
    from engine.store import Action, CampaignStatus, Effect, NewCampaign, Store
    from engine.store.state.queue import Submission


DOING: dict[Action, str] = {
    "pause": "pausing",
    "resume": "resuming",
    "cancel": "cancelling",
    "retry": "queueing",
    "delete": "deleting",
}
"""what is asked of a campaign and not done yet, in a word"""
IN_A_SHELL = "; dear-tui shows it"
"""the next step, after a sentence that says that the queue is run"""


def ask(path: Path, action: Action, campaign: int, no_start: bool = False, next_step: str = "") -> Iterator[str]:
    """Ask something of a campaign; what is queued by it gets a worker, unless `no_start`.

    Raises:
        DearError: it was refused, in one sentence.
    """
    with _writable(path, campaign) as store:
        effect = store.queue.request(action, campaign)
        is_to_run = action in ("resume", "retry") and store.campaign(campaign).state == "queued"
        goes_on = action == "resume" and not is_to_run  # a pause was taken back before it was obeyed
        yield f"campaign {campaign} goes on" if goes_on else _effect(action, campaign, effect)
    if is_to_run:
        yield run_queue(path, no_start, next_step)


def move(path: Path, campaign: int, position: int) -> str:
    """Give a queued campaign another place, 1 = next.

    Raises:
        DearError: it was refused, in one sentence.
    """
    with _writable(path, campaign) as store:
        place = store.queue.move(campaign, position)
    return f"campaign {campaign} is number {place} in the queue"


def rename(path: Path, campaign: int, name: str) -> str:
    """Give a campaign another name.

    Raises:
        DearError: it was refused, in one sentence.
    """
    with _writable(path, campaign) as store:
        store.rename(campaign, name)
    return f"campaign {campaign} is {printable_line(name.strip())} now"


def note(path: Path, campaign: int, text: str) -> str:
    """Keep the user's own words about a campaign, in the place of earlier ones; empty: none.

    Raises:
        DearError: it was refused, in one sentence.
    """
    with _writable(path, campaign) as store:
        store.note(campaign, text)
    return f"campaign {campaign} has {'this note now' if text.strip() else 'no note any more'}"


def status(path: Path, campaign: int) -> CampaignStatus:
    """One campaign; a store that is not there is not made by asking.

    Raises:
        DearError: it is not there.
    """
    from engine.store import Store

    with Store.open(path, read_only=True) as store:
        return store.campaign(campaign)


def submit(
    path: Path, configs: Sequence[tuple[str, CampaignConfig]], on_step: OnStep, again: bool = False
) -> tuple[list[Submission], list[str]]:
    """Try all configs out, then queue them; nothing is queued unless all can run.

    Args:
        path: the store.
        configs: each with the name by which its problems are told, empty for none.
        on_step: told what is being done.
        again: make new campaigns in any case.

    Returns:
        The campaigns, and notes a user should read.

    Raises:
        DearError: one of them cannot be queued.
    """
    news, notes = _tried_out(configs, on_step)
    return _queued(path, list(zip((name for name, _ in configs), news, strict=True)), notes, again)


def hand_over(path: Path, configs: Sequence[CampaignConfig], again: bool = False) -> tuple[list[Submission], list[str]]:
    """Queue configs as they are: whoever runs them loads what they name, and says what is wrong with it.

    The last campaign of the very same config goes on where it is unfinished; where it is finished, the worker finds out
    whether it would be another one today.

    Returns:
        The campaigns, and notes a user should read.

    Raises:
        DearError: the store cannot be written.
    """
    from engine.running.unprepared import unprepared

    return _queued(path, [(config.name, unprepared(config, again)) for config in configs], [], again)


def submit_study(
    path: Path,
    study: str,
    members: Sequence[Member],
    on_step: OnStep,
    again: bool = False,
    not_run: Sequence[Member] = (),
    try_out: bool = False,
) -> tuple[list[Submission], list[str]]:
    """Queue members of a study, of which each campaign knows, as they are.

    Those of which a finished campaign has the very same config are tried out first: unless something has changed that
    their results depend on, there is nothing to run.

    Args:
        path: the store.
        study: its name.
        members: that are queued.
        on_step: told what is being done.
        again: make new campaigns in any case.
        not_run: members that are not queued.
        try_out: all are tried out, those `not_run` too, and nothing is queued unless all can run.

    Returns:
        The campaigns, and notes a user should read.

    Raises:
        DearError: one of them cannot be queued.
    """
    from engine.running.unprepared import unprepared

    tried = list(members) if try_out else [] if again else _finished(path, members)
    asked = (*tried, *not_run) if try_out else tried
    news, notes = _tried_out([(member.config.name, member.config) for member in asked], on_step)
    prepared = {id(member): new for member, new in zip(tried, news[: len(tried)], strict=True)}
    named = []
    for member in members:
        new = prepared.get(id(member)) or unprepared(member.config, again)
        named.append((member.config.name, replace(new, study=study, factors=dict(member.factors))))
    return _queued(path, named, notes, again)


def _finished(path: Path, members: Sequence[Member]) -> list[Member]:
    """Those of which the last campaign of the very same config is finished."""
    from engine.running.unprepared import last_of_config
    from engine.store import Store

    if not path.exists():
        return []
    with Store.open(path) as store:
        lasts = [last_of_config(store, member.config.to_json()) for member in members]
    return [
        member for member, last in zip(members, lasts, strict=True) if last is not None and last.state == "finished"
    ]


def _tried_out(configs: Sequence[tuple[str, CampaignConfig]], on_step: OnStep) -> tuple[list[NewCampaign], list[str]]:
    from engine.running.execution import prepare_new
    from engine.running.networks import Networks

    news: list[NewCampaign] = []
    notes: list[str] = []
    networks = Networks()
    for name, config in configs:
        with naming(name):
            news.append(prepare_new(config, on_step, notes.append, networks))
    return news, notes


def _queued(
    path: Path, named: Sequence[tuple[str, NewCampaign]], notes: list[str], again: bool
) -> tuple[list[Submission], list[str]]:
    from engine.running.same_config import find_earlier
    from engine.store import Store
    from engine.store.records import is_unprepared

    with Store.open(path) as store:
        for name, new in named:
            with naming(name):
                if not again and not is_unprepared(new.fingerprint):
                    note = find_earlier(store, new.config, new.identity).note
                    notes += [note] if note else []
        submissions = []
        for name, new in named:
            with naming(name):
                if is_unprepared(new.fingerprint):
                    submissions.append(_queue_unprepared(store, new, again, notes))
                else:  # compared again: another process may have been quicker
                    check = partial(find_earlier, store, new.config, new.identity)
                    submissions.append(store.queue.submit(new, again, check))
        return submissions, notes + store.take_notes()


def _queue_unprepared(store: Store, new: NewCampaign, again: bool, notes: list[str]) -> Submission:
    """Queue a config as it is; an unfinished campaign of it goes on, a finished one is told of in `notes`."""
    from engine.running.unprepared import last_of_config

    last = None if again else last_of_config(store, new.config)
    if last is not None and last.state != "finished":
        return store.queue.go_on(last.id)
    if last is not None:
        notes.append(
            f"campaign {last.id} of this config is finished; unless something has changed that its results depend on, "
            "the new one ends at once and points to it"
        )
    return store.queue.submit(new, again)


def submitted(submission: Submission) -> str:
    """What became of a submission."""
    campaign = f"campaign {submission.campaign}"
    match submission.known_as:
        case None:
            return f"{campaign} is queued"
        case "queued" | "running" as state:
            return f"{campaign} is {state} already"
        case "finished":
            return f"{campaign} was already finished; nothing to run"
        case state:
            return f"{campaign} was {state}; it is queued to go on"


def waits(submission: Submission) -> bool:
    """Whether a worker is needed for it."""
    return submission.known_as not in ("finished", "running")


def run_queue(path: Path, no_start: bool = False, next_step: str = "") -> str:
    """Say what runs the queue of a store, after starting a worker where there is none.

    Raises:
        DearError: no worker could be started.
    """
    from dear_tui.worker.process import ensure_worker
    from engine.store import Store

    if no_start:
        with Store.open(path, read_only=True) as store:
            worker = store.worker()
    else:
        worker = ensure_worker(path)
    if not worker.running:
        return "no worker runs; dear-tui worker start runs the queue"
    first = f" when {worker.turn_before}, has ended" if worker.waits_for else ""
    return f"the worker, process {worker.pid}, runs the queue{first}{next_step}"


def stop_worker(path: Path) -> str:
    """Ask the worker to stop; the second time it does so at once.

    Raises:
        DearError: there is none.
    """
    from engine.store import Store

    with Store.open(path, read_only=True) as store:
        pid = store.worker().pid
        if pid is None:
            store.queue.stop_worker()  # which says that there is none; a store that is not there is not made by asking
    with Store.open(path) as store:
        asked = store.queue.stop_worker()
    when = "after the part being computed; dear-tui worker stop again stops it at once" if asked == 1 else "at once"
    return f"the worker, process {pid}, stops {when}"


@contextmanager
def naming(name: str) -> Iterator[None]:
    """What is wrong with what a config asks for is said with the config's name."""
    try:
        yield
    except (InputError, NoDeviceError) as error:
        kind = InputError if isinstance(error, InputError) else NoDeviceError
        raise kind(f"{name}: {error}" if name else str(error)) from None


@contextmanager
def _writable(path: Path, campaign: int) -> Iterator[Store]:
    from engine.store import Store

    status(path, campaign)
    with Store.open(path) as store:
        yield store


def _effect(action: Action, campaign: int, effect: Effect) -> str:
    from engine.store import Effect
    from engine.store.state.commands import RULES

    state = "deleted" if action == "delete" else RULES[action].leads_to
    match effect:
        case Effect.DONE:
            return f"campaign {campaign} is {state}"
        case Effect.ORDERED:
            return f"campaign {campaign} is running; it is {state} after the part being computed"
        case Effect.NOTHING:
            return f"campaign {campaign} is {state} already"
