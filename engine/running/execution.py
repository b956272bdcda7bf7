"""One campaign in a store, to its end: created, continued or taken from the queue, run, sealed, its state kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from engine.config.campaign_config import parse_config
from engine.errors import DearError, DiskFullError, InputError, reason_of
from engine.running.campaign import new_campaign, run_campaign, what_to_know
from engine.running.continuing import continue_from
from engine.running.fingerprint import differences, without_engine
from engine.running.networks import Networks
from engine.running.preparation import prepare
from engine.running.proof import prove
from engine.running.same_config import Earlier, find_earlier
from engine.running.submit_wait import StoppedError, WaitForRoom
from engine.running.unprepared import is_wanted_again
from engine.steps import OnStep, Step, nobody_waits
from engine.store import Store
from engine.store.records import is_unprepared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.config.campaign_config import CampaignConfig
    from engine.injection.check.self_check import CheckResult
    from engine.running.preparation import PreparedCampaign
    from engine.running.progress import Progress
    from engine.store import CampaignStatus, NewCampaign, State
    from engine.store.read.reading import StoreReader


class Listener(Protocol):
    """Who wants to know how it goes."""

    def on_campaign(self, status: CampaignStatus) -> None:
        """The campaign is in the store, new or known; unless it is finished, it is run next."""

    def on_step(self, step: Step) -> None:
        """What is done before the first pair."""

    def on_progress(self, progress: Progress) -> None:
        """More pairs are done."""

    def on_note(self, note: str) -> None:
        """Something the user should read, in one sentence; may be said in another thread."""


def execute(
    prepared: PreparedCampaign,
    path: Path,
    listener: Listener,
    should_stop: Callable[[], bool],
    again: bool = False,
    goes_on: bool = False,
) -> CampaignStatus:
    """Run a campaign in the store at `path`, made where there is none; its lock is held while the campaign runs.

    The same campaign again, by its fingerprint, continues where it stopped, or is found finished and nothing is done.
    The same config (same name, same tables but [run]) with another fingerprint is another campaign: refused while the
    last one of that config is unfinished, and said where it is finished. It goes through these states:

    - found finished: told, and nothing is run;
    - found unfinished, or created: "running", then "finished", "paused", "cancelled" or "failed", see `_Run`;
    - its state.sqlite was lost while it ran: the store is opened anew, finds it "paused", and it runs on.

    Args:
        prepared: what is run.
        path: of the store.
        listener: told how it goes.
        should_stop: asked after each group of faults.
        again: make a new campaign in any case.
        goes_on: another campaign follows in this process, before the worker's next one.

    Returns:
        The status at the end: "finished", "paused" where `should_stop` or another process said so, or "cancelled".

    Raises:
        InputError: an unfinished campaign of this config depends on something else; the sentence says on what.
        DearError: one sentence; a campaign that had begun is kept as "failed", with what it computed.
    """
    # the check can refuse the network, and nothing may be left behind then
    checked = None if path.exists() else prove(prepared, listener.on_step)
    with Store.open(path) as store:
        seen = store.state.campaign_ids()
        earlier = Earlier() if again else find_earlier(store, prepared.config.to_json(), prepared.identity)
        if earlier.note:
            listener.on_note(earlier.note)
        if earlier.same is not None and earlier.same.state == "finished":
            return _tell_finished(store, earlier.same, listener)
        with store.lock(goes_on=goes_on):
            checked = checked or prove(prepared, listener.on_step)
            new = new_campaign(prepared, checked)
            if earlier.same is not None:
                campaign = store.campaign(earlier.same.id).id
            elif again:
                campaign = store.create(new)
            else:
                campaign = store.find_or_create(new, partial(_check_others, store, new, seen)).id
            loaded = prepared.first(store.campaign(campaign).faults), checked
            continue_from(store, campaign, loaded[0], new_campaign(*loaded))
            status = store.campaign(campaign)
            listener.on_campaign(status)
            if status.state != "finished":
                _run_here(store, campaign, listener, should_stop, loaded)
        is_lost = _is_lost(store, listener)
        status = status if is_lost else store.campaign(campaign)
    while is_lost:
        with Store.open(path) as store:
            with store.lock(goes_on=goes_on):
                if store.campaign(campaign).state == "paused" and not should_stop():
                    _run_here(store, campaign, listener, should_stop, loaded)
            is_lost = _is_lost(store, listener)
            status = status if is_lost else store.campaign(campaign)
    return status


def _tell_finished(store: Store, status: CampaignStatus, listener: Listener) -> CampaignStatus:
    """There is nothing to run."""
    listener.on_campaign(status)
    for note in store.take_notes():
        listener.on_note(note)
    return status


def _check_others(store: Store, new: NewCampaign, seen: list[int]) -> None:
    """Where another process was quicker, compare with its campaigns, too.

    Raises:
        InputError: see `find_earlier`.
    """
    if store.state.campaign_ids() != seen:
        find_earlier(store, new.config, new.identity)


def _is_lost(store: Store, listener: Listener) -> bool:
    """Whether state.sqlite is no longer the one that others find, which is said.

    Raises:
        UnreachableError: the whole store was removed.
    """
    if store.state.is_in_place():
        return False
    store.check_not_removed()
    listener.on_note(store.state.loss)
    return True


def _run_here(
    store: Store,
    campaign: int,
    listener: Listener,
    should_stop: Callable[[], bool],
    loaded: tuple[PreparedCampaign, CheckResult],
) -> None:
    """Run a campaign under the lock, until it ends or state.sqlite is no longer the one that others find."""
    store.set_state(campaign, "running")
    _Run(store, campaign, listener, lambda: should_stop() or not store.state.is_in_place(), "paused").run(
        lambda: loaded
    )


def prepare_new(
    config: CampaignConfig,
    on_step: OnStep = nobody_waits,
    on_note: Callable[[str], object] = lambda _note: None,
    networks: Networks | None = None,
) -> NewCampaign:
    """All that a config must have to be queued: what it names is loaded, and its network is tried out.

    A network that earlier configs have tried out is not tried out again: when a campaign starts, it is checked in full
    with the campaign's own faults.

    Args:
        config: what to load.
        on_step: told what is being done.
        on_note: told, in sentences, what the user should know of the network and the images.
        networks: of earlier configs, see `prepare`.

    Raises:
        InputError, UnreachableError: a sentence each.
    """
    networks = networks or Networks()
    prepared = prepare(config, on_step=on_step, networks=networks)
    checked = networks.checked(prepared.injection, lambda: prove(prepared, on_step, briefly=True))
    for note in what_to_know(prepared, checked):
        on_note(note)
    return new_campaign(prepared, checked)


def execute_queued(
    store: Store,
    campaign: int,
    listener: Listener,
    should_stop: Callable[[], bool],
    networks: Networks | None = None,
) -> None:
    """Run a campaign that was taken from the queue of a store whose lock is held.

    It ends "finished", "failed", first in the queue where `should_stop` said so, or as another process asked.

    Args:
        store: with its lock held.
        campaign: its id there.
        listener: told how it goes.
        should_stop: asked after each group of faults, and between the steps of loading.
        networks: of earlier campaigns, see `prepare`.

    Raises:
        DearError: why it failed, in one sentence.
    """

    def load() -> tuple[PreparedCampaign, CheckResult]:
        description = store.description(campaign)
        listener.on_campaign(store.campaign(campaign))
        if is_unprepared(description["fingerprint"]):
            loaded = _prepare_first(store, campaign, description, run, networks)
            listener.on_campaign(store.campaign(campaign))
            return loaded
        return _prepare_again(store, campaign, description, run.on_step, networks)

    run = _Run(store, campaign, listener, should_stop, "queued")
    run.run(load)


def _prepare_first(
    store: Store, campaign: int, description: dict[str, Any], run: _Run, networks: Networks | None
) -> tuple[PreparedCampaign, CheckResult]:
    """Find out all that is fixed of a campaign that was queued by its config alone.

    Raises:
        KnownCampaignError: the store has the same campaign already; it is queued in the place of this one.
        InputError: an unfinished campaign of this config depends on something else; the sentence says on what.
    """
    config = parse_config(description["config"], source=f"campaign {campaign}")
    prepared = prepare(config, on_step=run.on_step, networks=networks)
    if not is_wanted_again(description["fingerprint"]):
        earlier = find_earlier(store, config.to_json(), prepared.identity)
        if earlier.note:
            run.on_note(earlier.note)
        if earlier.same is not None:
            raise KnownCampaignError(_go_on_with(store, earlier.same))
    checked = prove(prepared, run.on_step)
    store.fill(campaign, new_campaign(prepared, checked))
    return prepared, checked


def _go_on_with(store: Store, same: CampaignStatus) -> str:
    """Queue a campaign that stopped, as submitting it would; what is said of the one that asked for it."""
    if same.state != "finished":
        store.queue.go_on(same.id)
    becomes = "is" if same.state in ("finished", "queued", "running") else "is queued to go on and was"
    return f"it is campaign {same.id} ({same.name}), which {becomes} {same.state}"


class KnownCampaignError(DearError):
    """A campaign turns out to be one that the store has."""


def _prepare_again(
    store: Store, campaign: int, description: dict[str, Any], on_step: OnStep, networks: Networks | None
) -> tuple[PreparedCampaign, CheckResult]:
    """Load what a campaign was created from, and mend its files with that.

    Raises:
        InputError: it is not the same any more.
    """
    prepared = _prepare_stored(campaign, description, on_step, networks).first(store.campaign(campaign).faults)
    checked = prove(prepared, on_step)
    continue_from(store, campaign, prepared, new_campaign(prepared, checked))
    return prepared, checked


def prepare_as_before(store: StoreReader, campaign: int, on_step: OnStep) -> PreparedCampaign:
    """Load what a campaign of the store was created from; nothing is written.

    Raises:
        InputError: it is not the same any more.
    """
    prepared = _prepare_stored(campaign, store.description(campaign), on_step, None)
    return prepared.first(store.campaign(campaign).faults)


def _prepare_stored(
    campaign: int, description: dict[str, Any], on_step: OnStep, networks: Networks | None
) -> PreparedCampaign:
    config = parse_config(description["config"], source=f"campaign {campaign}")
    prepared = prepare(config, int(description["numerics"]["threads"]), on_step, networks)
    if without_engine(prepared.identity) != without_engine(description["identity"]):
        raise InputError(
            f"campaign {campaign} was submitted with {differences(description['identity'], prepared.identity)}; put "
            "that back and `dear-tui retry` it, or submit its config as a new campaign with --again"
        )
    return prepared


@dataclass(frozen=True)
class _Run:
    """A campaign in state "running": what is told of it, and what is asked of it."""

    _store: Store
    _id: int
    _listener: Listener
    _should_stop: Callable[[], bool]
    _after_stop: State

    def run(self, load: Callable[[], tuple[PreparedCampaign, CheckResult]]) -> None:
        """Run it to its end or to a stop, and leave it in the state that follows.

        Raises:
            DearError: why it failed, or that it was deleted.
            KeyboardInterrupt: as it came.
        """
        try:
            finished = run_campaign(
                *load(),
                self._store,
                self._id,
                on_progress=self._on_progress,
                should_stop=self._stops,
                room=WaitForRoom(self._store, self._id, self._listener.on_note, self._stops),
                on_note=self._listener.on_note,
            )
        except StoppedError:
            self._settle(self._after_stop)
        except (KeyboardInterrupt, DiskFullError):
            self._settle(self._after_stop)
            raise
        except KnownCampaignError as known:
            self._settle("cancelled", str(known))
            self.on_note(f"campaign {self._id}: {known}")
        except Exception as error:
            sentence = reason_of(error)
            self._settle("failed", sentence)
            if isinstance(error, DearError):
                raise
            raise DearError(f"campaign {self._id} failed: {sentence}; run it again to continue") from error
        else:
            self._settle("finished" if finished else self._after_stop)

    def on_step(self, step: Step) -> None:
        """Tell it, and obey between two steps: loading may take longer than a part.

        Raises:
            StoppedError: somebody asked for a stop.
        """
        if self._stops():
            raise StoppedError
        self._listener.on_step(step)

    def on_note(self, note: str) -> None:
        """Tell what the user should read."""
        self._listener.on_note(note)

    def _settle(self, state: State, error: str | None = None) -> None:
        if not self._store.queue.settle(self._id, state, error):
            raise DearError(f"campaign {self._id} was deleted while it ran")

    def _stops(self) -> bool:
        return self._should_stop() or self._store.queue.order(self._id) is not None

    def _on_progress(self, progress: Progress) -> None:
        with suppress(DiskFullError):  # the parts are what matters, and they wait for room
            self._store.state.set_progress(self._id, progress.pairs_done, progress.rate, progress.eta_s)
        self._listener.on_progress(progress)
