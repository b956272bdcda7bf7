"""What the screens know of a store, and how it is read: one snapshot at a time, off the event loop."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from dear_tui.access.study_reader import Memberships
from engine.errors import DearError
from engine.printable import printable, printable_line
from engine.severity import NOT_RUN_NAMES, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from engine.store import Action, CampaignStatus, CurveData, Store, WorkerStatus
    from engine.store.read.reading import StoreReader

Opened = TypeVar("Opened", bound="StoreReader")


class LateStore(Generic[Opened]):
    """A store that is opened when it is first asked for, in whatever thread that is."""

    def __init__(self, open_store: Callable[[], Opened]) -> None:
        self._open = open_store
        self._store: Opened | None = None
        self._opening = threading.Lock()

    def get(self) -> Opened:
        """The store; a call may block.

        Raises:
            DearError: it cannot be read.
        """
        with self._opening:
            if self._store is None:
                self._store = self._open()
            return self._store

    def close(self) -> None:
        """Let go of its files; a thread that still asks ends with an error, or opens the store anew."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            self._store = None


@dataclass(frozen=True)
class AtWork:
    """The worker that runs a campaign now."""

    pid: int
    campaign: int
    device: str | None = None
    """such as "cuda:0"; None until it is chosen"""


@dataclass(frozen=True)
class Snapshot:
    """The store at one moment; equal when there is nothing new to show."""

    campaigns: tuple[CampaignStatus, ...] | None = None
    """newest first; None before the first reading"""
    problem: str = ""
    """why the store could not be read this time; the rest is then what was read last"""
    curve_key: tuple[object, ...] = ()
    curve: CurveData | None = field(default=None, compare=False)
    """of the campaign watched last; `curve_key` begins with its id and changes whenever the curve does"""

    steps: Mapping[int, str] = field(default_factory=dict)
    """running campaign -> what is done before its first pair or after its last one, in words"""
    asked: Mapping[int, Action] = field(default_factory=dict)
    """running campaign -> what is asked of it and not done yet"""
    at_work: AtWork | None = None
    """who runs a campaign of the queue"""
    studies: Mapping[int, str] = field(default_factory=dict)
    """campaign -> the study that it is a member of; the others are not there"""

    def status(self, campaign: int | None) -> CampaignStatus | None:
        """One campaign, if the store has it."""
        return next((status for status in self.campaigns or () if status.id == campaign), None)

    def step(self, campaign: int) -> str:
        """What is done for it before its first pair or after its last one, empty for nothing."""
        return self.steps.get(campaign, "")


class SnapshotReader:
    """Reads snapshots from a store that may not be there yet, may be busy, or may be broken."""

    def __init__(self, open_store: Callable[[], StoreReader]) -> None:
        self._store = LateStore(open_store)
        self._last = Snapshot()
        self._memberships = Memberships()

    def read(self, watched: int | None) -> Snapshot:
        """The present, with the curve of campaign `watched`; a failure becomes the snapshot's problem, never raised."""
        try:
            self._read(self._store.get(), watched)
        except Exception as error:  # whatever breaks in a store, the screens say it and go on
            self.close()
            self._last = replace(self._last, problem=problem_of(error))
        return self._last

    def close(self) -> None:
        """Let go of the store's files, until the next reading."""
        self._store.close()

    def _read(self, store: StoreReader, watched: int | None) -> None:
        """Campaigns first: they are shown even where the curve cannot be read."""
        campaigns = tuple(map(_printable, store.campaigns()))
        running = {status.id for status in campaigns if status.state == "running"}
        worker = store.worker() if running else None
        steps, at_work = _steps(worker, running), _at_work(worker, running)
        asked = store.orders() if running else {}
        known = {each.id: self._memberships.of(store, each).study for each in campaigns}
        studies = {campaign: printable_line(study) for campaign, study in known.items() if study}
        self._last = replace(
            self._last, campaigns=campaigns, problem="", steps=steps, asked=asked, at_work=at_work, studies=studies
        )
        status = self._last.status(watched)
        if status:
            key = (*version_of(status), status.state)
            if key != self._last.curve_key:
                self._last = replace(self._last, curve_key=key, curve=store.curve(status.id))


def _printable(status: CampaignStatus) -> CampaignStatus:
    """With its texts as they can be shown."""
    texts = {name: value for name, value in vars(status).items() if isinstance(value, str)}
    shown = {name: printable(value) for name, value in texts.items()}
    return replace(status, **shown) if shown != texts else status  # type: ignore[arg-type]


def _steps(worker: WorkerStatus | None, running: set[int]) -> dict[int, str]:
    return {worker.campaign: worker.step} if worker and worker.step and worker.campaign in running else {}


def _at_work(worker: WorkerStatus | None, running: set[int]) -> AtWork | None:
    if worker is None or worker.pid is None or worker.campaign not in running:
        return None
    return AtWork(worker.pid, worker.campaign, worker.device)


def open_store(path: Path) -> Store:
    """The store at `path`, for reading; imports DuckDB, so call it off the event loop."""
    from engine.store import Store

    return Store.open(path, read_only=True)


def problem_of(error: Exception, what: str = "The store") -> str:
    """An error of ours is its own sentence; of any other, its kind and what it says first."""
    if isinstance(error, DearError):
        return str(error)
    first = (str(error).splitlines() or [""])[0]
    return f"{what} cannot be read: {type(error).__name__}: {first}"


def version_of(status: CampaignStatus) -> tuple[object, ...]:
    """What was read of a campaign is read again once this differs.

    It does with every part that is stored, also where all its pairs were screened; and with the store, made anew.
    """
    counts = (getattr(status, name) for name in (*SEVERITIES, *NOT_RUN_NAMES))
    return status.id, status.created, *counts
