"""What the live screen shows beside the curve, read off the event loop: images, layers, marked campaigns, the log."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dear_tui.access.store_location import LateStore, problem_of, version_of
from dear_tui.charts.overlay_plot import Marked
from engine.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.analysis.detection_orders import DetectionOrders
    from engine.store import CampaignStatus, ImageCounts, LayerProgress
    from engine.store.read.fault_results import FaultFindings, FaultRates
    from engine.store.read.reading import StoreReader

LOG_LINES = 40
LOG_BYTES = 8192


@dataclass(frozen=True)
class Wanted:
    """What the screen asks for: the campaign it shows, and those that are marked, as they are now."""

    shown: CampaignStatus | None = None
    marked: tuple[CampaignStatus, ...] = ()
    orders: bool = False
    """whether random orders are looked at, too: that needs the critical pairs, which may be many"""

    @property
    def ids(self) -> tuple[int, ...]:
        """Which campaigns these are."""
        return tuple(status.id for status in (self.shown, *self.marked) if status)


@dataclass(frozen=True)
class LiveDetails:
    """What was read last; equal when there is nothing new to show."""

    campaign: int | None = None
    key: tuple[object, ...] = ()
    """changes whenever `counts` or `layers` do"""
    orders_key: tuple[object, ...] = ()
    """changes whenever `orders` does"""
    marked_key: tuple[object, ...] = ()
    """changes whenever `marked` does"""
    layers: tuple[LayerProgress, ...] = ()
    log: tuple[str, ...] = ()
    """the last lines, oldest first"""
    problem: str = ""
    counts: ImageCounts | None = field(default=None, compare=False)
    findings: FaultFindings | None = field(default=None, compare=False)
    rates: FaultRates | None = field(default=None, compare=False)
    """as `findings` None where the campaign's description is damaged"""
    orders: DetectionOrders | None = field(default=None, compare=False)
    marked: tuple[Marked, ...] = field(default=(), compare=False)


class LiveReader:
    """Reads details from a store that may be busy or broken; what did not change is not read again."""

    def __init__(self, open_store: Callable[[], StoreReader], log: Path) -> None:
        self._store = LateStore(open_store)
        self._log = log
        self._last = LiveDetails()
        self._lock = threading.Lock()

    def read(self, wanted: Wanted) -> LiveDetails:
        """The present; a failure becomes the problem of what was read last, never raised."""
        with self._lock:  # a thread that is to end may be in here still
            try:
                self._last = replace(self._last, log=read_log(self._log))
                self._read(self._store.get(), wanted)
                self._last = replace(self._last, problem="")
            except Exception as error:  # whatever breaks in a store, the screens say it and go on
                self._store.close()
                self._last = replace(self._last, problem=problem_of(error))
            return self._last

    def close(self) -> None:
        """Let go of the store's files, until the next reading."""
        with self._lock:
            self._store.close()

    def _read(self, store: StoreReader, wanted: Wanted) -> None:
        shown = wanted.shown
        if shown and self._last.key != (key := version_of(shown)):
            counts, findings, rates = store.image_counts(shown.id), None, None
            with suppress(UnreachableError):
                rates, findings = store.rates(shown.id), store.findings(shown.id)
            self._last = replace(
                self._last,
                campaign=shown.id,
                key=key,
                counts=counts,
                findings=findings,
                rates=rates,
                layers=tuple(store.layers(shown.id)),
            )
        if shown and wanted.orders and self._last.orders_key != (key := version_of(shown)):
            orders = _orders(store, shown.id, self._last.counts)
            self._last = replace(self._last, orders_key=key, orders=orders)
        marked_key = tuple(map(version_of, wanted.marked))
        if self._last.marked_key != marked_key:
            marked = tuple(Marked(status.id, status.name, store.curve(status.id)) for status in wanted.marked)
            self._last = replace(self._last, marked_key=marked_key, marked=marked)


def read_log(path: Path) -> tuple[str, ...]:
    """The last lines of the worker's log; none where no worker has run."""
    if not path.is_file():  # a pipe would be waited for
        return ()
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - LOG_BYTES, 0))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ()
    return tuple(lines[-LOG_LINES:])


def _orders(store: StoreReader, campaign: int, counts: ImageCounts | None) -> DetectionOrders | None:
    """How soon critical faults are found in other orders of the images, which needs every pair."""
    if counts is None or not counts.complete.all() or counts.dropped.any():
        return None
    from engine.analysis.cover import Incidence
    from engine.analysis.detection_orders import DetectionOrders

    pairs = store.read(f"SELECT fault_id, image_id FROM critical WHERE campaign = {campaign}")
    incidence = Incidence.of(pairs["fault_id"], pairs["image_id"], counts.image_id)
    return DetectionOrders.of(incidence, counts.metric)
