"""Why an order would do nothing now, in a sentence; empty where it does something."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.store import Action, CampaignStatus, QueueView, State


def against_asking(action: Action, status: CampaignStatus, asked: Action | None) -> str:
    """Asking this of a campaign, of which something is `asked` already."""
    from engine.store.state.commands import RULES, check_applies  # whoever read the campaign has imported it

    if status.state == "running":
        if action == "resume":
            return "" if asked == "pause" else f"campaign {status.id} is running"
        if action == "pause" and asked == "pause":
            return f"campaign {status.id} is paused after the part being computed"
        if RULES[action].stops:
            return ""
    try:
        check_applies(action, cast("State", status.state), status.id)
    except InputError as error:
        return str(error)
    return ""


def against_moving(by: int, status: CampaignStatus, queue: QueueView | None) -> str:
    """Moving a campaign in the queue."""
    if status.state != "queued":
        return f"campaign {status.id} is {status.state}; only one that is queued can be moved"
    waiting = queue.waiting if queue else ()
    if status.id in waiting[:1] and by < 0:
        return f"campaign {status.id} is the next one already"
    return f"campaign {status.id} is the last one already" if status.id in waiting[-1:] and by > 0 else ""


def against_starting(queue: QueueView | None) -> str:
    """Why no worker can be started now; empty where one can."""
    worker = queue.worker if queue else None
    return f"the worker, process {worker.pid}, runs the queue already" if worker and worker.running else ""


def against_stopping(queue: QueueView | None) -> str:
    """Why no worker can be stopped now; empty where one can."""
    if queue is None or queue.worker.running:
        return ""
    return f"no worker runs in this store{f'; {queue.holder}' if queue.holder else '; w starts one'}"
