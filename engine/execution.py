"""One campaign from its config to its end in a store: created or continued, run, sealed, its state kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.campaign import Progress, describe, run_campaign
from engine.errors import DearError, UnreachableError
from engine.preparation import PreparedCampaign, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.config import CampaignConfig
    from engine.store import CampaignStatus, Store


class Listener(Protocol):
    """Who wants to know how it goes."""

    def on_campaign(self, status: CampaignStatus) -> None:
        """The campaign is in the store, new or known; unless it is finished, it is run next."""

    def on_progress(self, progress: Progress) -> None:
        """More pairs are done."""

    def on_note(self, note: str) -> None:
        """Something the user should read, in one sentence."""


def execute(
    config: CampaignConfig, store: Store, listener: Listener, should_stop: Callable[[], bool]
) -> CampaignStatus:
    """Run a config in a store, whose lock is held while it runs.

    The same config again continues the campaign where it stopped, or finds it finished and does nothing.

    Returns:
        The status at the end: "finished", or "paused" where `should_stop` said so.

    Raises:
        DearError: one sentence; a campaign that had begun is kept as "failed", with what it computed.
    """
    prepared = prepare(config)
    known = store.find(prepared.fingerprint)
    if known is not None and known.state == "finished":
        listener.on_campaign(known)
        return known
    try:
        with store.lock():
            status = store.find(prepared.fingerprint) or store.campaign(store.create(describe(prepared)))
            listener.on_campaign(status)
            _run(prepared, store, status.id, listener, should_stop)
            return store.campaign(status.id)
    except UnreachableError:
        if known is not None and known.state == "running":  # another process is at it: that one can be watched
            listener.on_campaign(known)
        raise


def _run(
    prepared: PreparedCampaign, store: Store, campaign: int, listener: Listener, should_stop: Callable[[], bool]
) -> None:
    def on_progress(progress: Progress) -> None:
        store.set_progress(campaign, progress.pairs_done, progress.rate, progress.eta_s)
        listener.on_progress(progress)

    store.set_state(campaign, "running")
    try:
        finished = run_campaign(prepared, store, campaign, on_progress, should_stop, listener.on_note)
    except KeyboardInterrupt:
        store.set_state(campaign, "paused")
        raise
    except Exception as error:
        store.set_state(campaign, "failed", error=_sentence(error))
        if isinstance(error, DearError):
            raise
        raise DearError(f"campaign {campaign} failed: {_sentence(error)}") from error
    if not finished:
        store.set_state(campaign, "paused")


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
