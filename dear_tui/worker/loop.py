"""The worker's work: the campaigns of the queue, one after the other, and a heartbeat. It needs no terminal."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dear_tui.terminal.signals import STOPS, at_each_signal, handled
from dear_tui.text.steps import StepText
from engine.errors import DearError, DiskFullError, UnreachableError
from engine.printable import printable_line
from engine.store import Activity, Store
from engine.store.state.heartbeat import write_heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.running.networks import Networks
    from engine.running.progress import Progress
    from engine.steps import Step
    from engine.store import CampaignStatus

BEAT_SECONDS = 1.0
LOOK_SECONDS = 0.5
"""between two looks at an empty queue"""
LINGER_SECONDS = 10.0
"""how long the queue has been empty when a worker that is to end then does"""
HEED_SECONDS = 0.1
"""between two looks for signals"""
ALONE_SECONDS = 5.0
"""how long a lost state.sqlite may be missing while nobody has the lock, before it is an error"""

TURN_SECONDS = 60.0
"""how long the free lock is left to a living `run` between two of its configs"""
NOTE_SECONDS = 1.0
"""how long a second signal waits for the first one to be noted in the queue"""
INTERRUPTED = 130
STARTING = "the worker is starting"
"""the step before the first one of a campaign: what computes is loaded"""
SEALING = "sealing"
"""the step after the last pair: all of the campaign into one file"""


class Worker:
    """Runs what is queued in one store. The first stop, by signal or command, ends it after the part being computed.

    The second one ends the process at once: whatever was committed is kept, as after a kill.
    """

    def __init__(self, path: Path, until_empty: bool) -> None:
        """Of the store at `path`, made where there is none.

        Args:
            path: the store.
            until_empty: whether to end when nothing is queued any more, instead of waiting for more.
        """
        self._store = Store.open(path)
        self._until_empty = until_empty
        self._activity = Activity()
        self._networks: Networks | None = None
        """of the campaigns since the queue was empty last"""
        self._step = ""
        self._step_text = StepText()
        self._waits_for_room = False
        self._stopping = threading.Event()
        self._stop_lock = threading.Lock()
        """so that two threads do not say the same"""
        self._signals: list[int] = []
        self._noted = 0
        """of the signals, as commands of the queue: it is no death then when the process ends while it computes"""
        self._is_noted = threading.Event()

    def run(self, on_ready: Callable[[], None]) -> int:
        """Be the store's worker; returns the process's exit code.

        Args:
            on_ready: called once this is the worker, which may still have to wait for a process in the foreground.

        Raises:
            UnreachableError: another worker runs, or the store cannot be used.
        """
        self._store.state.disown_stops(os.getpid())
        with handled(STOPS, lambda *_: None), at_each_signal(self._hear):
            self._be_worker(on_ready)
            # what was queued while this was still the worker, but not looked for any more, has no other one
            while not self._stopping.is_set() and self._has_more_to_do():
                self._be_worker(lambda: None)
        log("worker ended")
        return INTERRUPTED if signal.SIGINT in self._signals else 0

    def on_campaign(self, status: CampaignStatus) -> None:
        """It is at hand now."""
        device = self._store.description(status.id)["numerics"]["device"]
        self._activity = Activity(campaign=status.id, device=device)
        log(f"campaign {status.id}: {status.name}, {status.pairs_done:,} of {status.pairs:,} pairs done before")

    def on_step(self, step: Step) -> None:
        """The next heartbeat tells it; into the log, when it begins."""
        self._activity = replace(self._activity, step=self._step_text.of(step))
        if step.text != self._step:
            self._step = step.text
            log(f"{step.text} ...")

    def on_progress(self, progress: Progress) -> None:
        """The next heartbeat tells it."""
        step = SEALING if progress.block is None and progress.pairs_done == progress.pairs else None
        self._activity = replace(self._activity, block=progress.block, rate=progress.rate, step=step)

    def on_note(self, note: str) -> None:
        """Write a note into the log."""
        log(note)

    def _has_more_to_do(self) -> bool:
        if not self._store.state.is_in_place():
            return self._reopen()
        return bool(self._store.queue.waiting()) and not self._store.worker().running

    def _reopen(self) -> bool:
        """Go on with another state.sqlite; False where a signal came first.

        Raises:
            UnreachableError: the store cannot be used, or was removed.
        """
        self._store.check_not_removed()
        log(self._store.state.loss)
        self._store.close()
        others_seen = time.monotonic()
        while not self._signals:
            try:
                self._store = Store.open(self._store.layout.root)
            except UnreachableError:
                # another process rebuilds it when it gets there, and has no lock for a moment before that
                if self._store.holder() is not None:
                    others_seen = time.monotonic()
                if time.monotonic() - others_seen >= ALONE_SECONDS:
                    raise
                self._stopping.wait(LOOK_SECONDS)
            else:
                return True
        return False

    def _be_worker(self, on_ready: Callable[[], None]) -> None:
        with self._store.be_worker(), self._heartbeat():
            log(f"worker started, {'until the queue is empty' if self._until_empty else 'until it is stopped'}")
            on_ready()
            self._work()

    def _work(self) -> None:
        """Have the lock only while there is something to run, so that an idle worker is in nobody's way."""
        empty_since = time.monotonic()
        while not self._stops():
            try:
                if not self._store.queue.is_empty():
                    with ExitStack() as turn:
                        if self._wait_for_turn(turn):
                            self._run_queue()
                    empty_since = time.monotonic()
                elif self._until_empty and time.monotonic() - empty_since >= LINGER_SECONDS:
                    return
                else:
                    self._stopping.wait(LOOK_SECONDS)
            except DiskFullError as error:
                self._wait_for_room(error)

    def _wait_for_turn(self, turn: ExitStack) -> bool:
        """Have the lock once no process in the foreground is at work, or about to go on; False after a stop."""
        waits_for: int | None = None
        free_since = time.monotonic()
        while not self._stops():
            if holder := self._store.holder():
                if holder.pid != waits_for:
                    log(f"waiting: {holder}")
                waits_for, free_since = holder.pid, time.monotonic()
            elif not self._store.expects_holder() or time.monotonic() - free_since >= TURN_SECONDS:
                try:
                    turn.enter_context(self._store.lock("worker"))
                except UnreachableError:
                    if self._store.holder() is None:  # else another process was quicker
                        raise
                else:
                    return True
            self._stopping.wait(LOOK_SECONDS)
        return False

    def _run_queue(self) -> None:
        while not self._stops():
            try:
                if not self._run_next():
                    return
            except DiskFullError as error:
                self._wait_for_room(error)
                with suppress(DiskFullError):
                    self._store.queue.settle_running()

    def _wait_for_room(self, error: DiskFullError) -> None:
        if not self._waits_for_room:  # else it has been said
            log(f"{error}; it goes on by itself")
        self._waits_for_room = True
        self._stopping.wait(LOOK_SECONDS)

    def _stops(self) -> bool:
        """Whether it was asked to, or must begin anew because state.sqlite is another one."""
        return self._stopping.is_set() or not self._store.state.is_in_place()

    def _run_next(self) -> bool:
        """Run the first of the queue; False where nothing waits."""
        campaign = self._store.queue.take()
        if campaign is None:
            self._networks = None  # an idle worker takes no memory for what may never come
            return False
        self._activity = Activity(campaign=campaign, step=STARTING)
        self._waits_for_room = False
        try:
            # these import torch, which takes seconds: whose turn it is can be seen before that
            from engine.running.execution import execute_queued
            from engine.running.networks import Networks

            self._networks = self._networks or Networks()
            execute_queued(self._store, campaign, self, self._stops, self._networks)
            log(f"campaign {campaign}: {self._store.campaign(campaign).state}")
        except DiskFullError:
            raise
        except DearError as error:
            log(str(error))
        finally:
            self._activity = Activity()
        return True

    @contextmanager
    def _heartbeat(self) -> Iterator[None]:
        """Beat in a thread, so that it goes on during long computations."""
        ended = threading.Event()

        def beat() -> None:
            beaten, told = -BEAT_SECONDS, None
            while True:
                self._heed()
                activity = self._activity
                if time.monotonic() - beaten >= BEAT_SECONDS or activity.campaign != told:
                    with suppress(DearError):  # a full disk; the next one may succeed
                        write_heartbeat(self._store.state, activity)
                    beaten, told = time.monotonic(), activity.campaign
                if ended.wait(HEED_SECONDS):
                    self._heed()
                    return

        thread = threading.Thread(target=beat, name="heartbeat")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _hear(self, number: int) -> None:
        """In a thread of its own: no computation and no lock of SQLite's holds the second signal back."""
        self._signals.append(number)
        if len(self._signals) > 1:
            self._is_noted.wait(NOTE_SECONDS)
        self._stop(len(self._signals))

    def _heed(self) -> None:
        """Note the signals in the queue, and stop as often as commands ask for it."""
        asked = 0
        with suppress(DearError):  # a full disk, or state.sqlite is gone
            while self._noted < len(self._signals):
                self._store.queue.note_stop(os.getpid())
                self._noted += 1
                self._is_noted.set()
            asked = self._store.queue.stops(os.getpid())
        self._stop(asked)

    def _stop(self, asked: int) -> None:
        """Stop after the part being computed, or at once where it has been asked for before."""
        if asked > 1:
            log("stopped at once")
            os._exit(INTERRUPTED)
        with self._stop_lock:
            if asked == 1 and not self._stopping.is_set():
                self._stopping.set()
                log("stopping after the part being computed")


def log(text: str) -> None:
    """One line with the time on standard error, which is the log file of a detached worker."""
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {os.getpid()} {printable_line(text)}\n"
    with suppress(OSError):  # a full disk must not end the worker
        os.write(2, line.encode())  # not print, which a signal's handler must not call while it is at work
