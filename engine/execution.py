"""One prepared campaign in a store, to its end: created or continued, run, sealed, its state kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.campaign import Progress, describe, run_campaign, start_injection
from engine.errors import DearError, UnreachableError
from engine.same_config import compare_with_last
from engine.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.injection.exact import ExactInjection
    from engine.preparation import PreparedCampaign
    from engine.store import CampaignStatus


class Listener(Protocol):
    """Who wants to know how it goes."""

    def on_campaign(self, status: CampaignStatus) -> None:
        """The campaign is in the store, new or known; unless it is finished, it is run next."""

    def on_progress(self, progress: Progress) -> None:
        """More pairs are done."""

    def on_note(self, note: str) -> None:
        """Something the user should read, in one sentence."""


def execute(
    prepared: PreparedCampaign,
    path: Path,
    listener: Listener,
    should_stop: Callable[[], bool],
    again: bool = False,
) -> CampaignStatus:
    """Run a campaign in the store at `path`, made where there is none; its lock is held while the campaign runs.

    The same campaign again, by its fingerprint, continues where it stopped, or is found finished and nothing is done.
    The same config (same name, same tables but [run]) with another fingerprint is another campaign: refused while the
    last one of that config is unfinished, and said where it is finished.

    Args:
        again: make a new campaign in any case.

    Returns:
        The status at the end: "finished", or "paused" where `should_stop` said so.

    Raises:
        InputError: an unfinished campaign of this config depends on something else; the sentence says on what.
        DearError: one sentence; a campaign that had begun is kept as "failed", with what it computed.
    """
    # the injection can refuse the config, and nothing may be left behind then
    injection = None if path.exists() else start_injection(prepared)
    store = Store.open(path)
    known = None if again else store.find(prepared.fingerprint)
    if known is None and not again and (note := compare_with_last(store, prepared.config.to_json(), prepared.identity)):
        listener.on_note(note)
    if known is not None and known.state == "finished":
        listener.on_campaign(known)
        for note in store.notes:
            listener.on_note(note)
        return known
    try:
        with store.lock():
            injection = injection or start_injection(prepared)
            new = describe(prepared, injection)
            found = None if again else store.find(prepared.fingerprint)
            status = found or store.campaign(store.create(new))
            store.restore(status.id, new)
            listener.on_campaign(status)
            if status.state != "finished":
                _run(prepared, injection, store, status.id, listener, should_stop)
            return store.campaign(status.id)
    except UnreachableError:
        if known is not None and known.state == "running":  # another process is at it: that one can be watched
            listener.on_campaign(known)
        raise


def _run(
    prepared: PreparedCampaign,
    injection: ExactInjection,
    store: Store,
    campaign: int,
    listener: Listener,
    should_stop: Callable[[], bool],
) -> None:
    def on_progress(progress: Progress) -> None:
        store.set_progress(campaign, progress.pairs_done, progress.rate, progress.eta_s)
        listener.on_progress(progress)

    store.set_state(campaign, "running")
    try:
        finished = run_campaign(prepared, injection, store, campaign, on_progress, should_stop, listener.on_note)
    except KeyboardInterrupt:
        store.set_state(campaign, "paused")
        raise
    except Exception as error:
        sentence = _sentence(error)
        store.set_state(campaign, "failed", error=sentence)
        if isinstance(error, DearError):
            raise
        raise DearError(f"campaign {campaign} failed: {sentence}; run it again to continue") from error
    if not finished:
        store.set_state(campaign, "paused")


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
