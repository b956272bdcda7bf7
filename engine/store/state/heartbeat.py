"""The worker's sign of life: what it is doing, written every second, for every client to read."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.store.state.state import now

if TYPE_CHECKING:
    from engine.store.state.lock import Holder
    from engine.store.state.state import StateFile

LATE_SECONDS = 5.0
"""without a heartbeat, a worker that is there does not answer"""


@dataclass(frozen=True)
class Activity:
    """What a worker is at; all None while it waits."""

    campaign: int | None = None
    device: str | None = None
    block: tuple[int, int] | None = None
    """ranks of the images being run, the second one excluded"""
    rate: float | None = None
    """pairs per second"""
    step: str | None = None
    """what it does before the first pair and after the last one, in words"""


@dataclass(frozen=True)
class WorkerStatus:
    """The worker as clients see it; None for what there is not."""

    running: bool
    pid: int | None = None
    device: str | None = None
    campaign: int | None = None
    block: tuple[int, int] | None = None
    rate: float | None = None
    heartbeat: str | None = None
    """ISO 8601 UTC, of the last one even where no worker runs"""
    silence_s: float | None = None
    """since the last heartbeat of one that runs; does not depend on the clock being right"""
    waits_for: int | None = None
    """the process that runs a campaign in the foreground, after whose end the worker runs the queue"""
    step: str | None = None
    """see `Activity`"""

    @property
    def turn_before(self) -> str:
        """That process in a sentence."""
        return f"the run in the foreground, process {self.waits_for}"

    @property
    def is_late(self) -> bool:
        """Whether it runs and does not answer."""
        return self.silence_s is not None and self.silence_s > LATE_SECONDS


def write_heartbeat(state: StateFile, activity: Activity) -> None:
    """This process is alive and does this."""
    start, stop = activity.block or (None, None)
    state.set_worker(
        pid=os.getpid(),
        device=activity.device,
        campaign=activity.campaign,
        rank_start=start,
        rank_stop=stop,
        rate=activity.rate,
        step=activity.step,
        heartbeat=now(),
        clock=time.monotonic(),
    )


def read_worker(state: StateFile, worker: Holder | None, at_work: Holder | None) -> WorkerStatus:
    """What the last heartbeat says, believed only where its process has the worker's lock.

    Args:
        state: where it is written.
        worker: who has the worker's lock.
        at_work: who has the store's lock.
    """
    row = state.worker()
    heartbeat = row["heartbeat"] if row else None
    if worker is None:
        return WorkerStatus(running=False, heartbeat=heartbeat)
    waits_for = at_work.pid if at_work and at_work.role == "foreground" else None
    if row is None or row["pid"] != worker.pid:  # it has the lock, and has not said more yet
        return WorkerStatus(running=True, pid=worker.pid, waits_for=waits_for)
    return WorkerStatus(
        running=True,
        pid=row["pid"],
        device=row["device"],
        campaign=row["campaign"],
        block=None if row["rank_start"] is None else (row["rank_start"], row["rank_stop"]),
        rate=row["rate"],
        heartbeat=heartbeat,
        silence_s=max(0.0, time.monotonic() - row["clock"]),
        waits_for=waits_for,
        step=row["step"],
    )
