"""Who runs the queue, in one line, and what to do where nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from dear_tui.widgets.common.status_text import MUTED
from engine.units import duration

if TYPE_CHECKING:
    from engine.store import QueueView, WorkerStatus


def worker_text(queue: QueueView, is_starting: bool = False) -> Content:
    """The line; coloured where somebody has to do something."""
    waiting, worker = len(queue.waiting), f"Worker {queue.worker.pid}"
    if not queue.worker.running and is_starting:
        return _plain("Starting the worker ...")
    if not queue.worker.running:
        return _without_worker(queue, waiting)
    if queue.worker.is_late:
        return Content.styled(f"{worker} has not answered for {duration(queue.worker.silence_s or 0)}", "$text-error")
    if queue.stops:
        return _warning(f"{worker} stops after the part being computed: W again stops it at once")
    if queue.worker.waits_for:
        return _plain(f"{worker} waits for {queue.worker.turn_before}")
    if queue.worker.campaign is None:
        return _plain(f"{worker} takes the next campaign" if waiting else f"{worker} waits: the queue is empty")
    device = f" on {queue.worker.device}" if queue.worker.device else ""
    return _plain(f"{worker}{device}: campaign {queue.worker.campaign}{_doing(queue.worker)}")


def _doing(worker: WorkerStatus) -> str:
    if worker.step:
        return f", {worker.step}"
    if worker.block:
        return f", images {worker.block[0] + 1:,} to {worker.block[1]:,} by rank"
    return ""


def _without_worker(queue: QueueView, waiting: int) -> Content:
    if queue.holder:
        process = f"Process {queue.holder.pid} runs a campaign in the foreground"
        return _warning(f"{process}, {_waits(waiting)}: w starts a worker") if waiting else _plain(process)
    if queue.left:
        campaign = queue.left[0]
        return _warning(f"The worker ended while it ran campaign {campaign}: w starts one that goes on with it")
    if waiting:
        return _warning(f"No worker runs, {_waits(waiting)}: w starts it")
    return Content.styled("No worker runs; nothing waits", MUTED)


def _waits(waiting: int) -> str:
    return "1 campaign waits" if waiting == 1 else f"{waiting} campaigns wait"


def _warning(text: str) -> Content:
    return Content.styled(text, "$text-warning")


def _plain(text: str) -> Content:
    return Content.styled(text, MUTED)
