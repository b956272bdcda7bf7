"""A desk that only notes what is ordered, and a planner that reports what it is told to."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui.access.store_reader import Desk, Details
from engine.analysis.estimate import Share
from engine.analysis.tables import TableOneRow
from engine.errors import InputError
from engine.store.read.fault_results import FaultFindings, Found
from engine.store.state.lock import Holder
from engine.store.state.queue import QueueView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dear_tui.planner.reports import Order, Report
    from engine.store.read.fault_results import FaultRates
    from engine.store.records import CampaignStatus

TABLE_ONE = TableOneRow(99.35, 98.74, 81.51, 17.87, 0.621, 1714)
FINDINGS = FaultFindings(
    run=16_501,
    critical=Found(1714, Share(0.1039, 0.0979, 0.1102)),
    costly=Found(798, Share(0.0484, 0.0442, 0.0529)),
    costing_a_point=243,
    accuracy=Share(0.9874, 0.9862, 0.9884),
    pair_rate=0.00621,
    golden_right=9935,
    images=10_000,
    data_set=10_000,
    confidence=0.99,
)
SECTIONS = {
    "campaign": {
        "id": "7",
        "created": "2026-01-02T03:04:05Z",
        "population": "1,967,040",
        "fingerprint": "a48cd380" * 8,
    },
    "config": {"name": "lenet5-mnist", "model.arch": "lenet5", "faults.error_margin": "0.01", "run.method": "fast"},
    "numerics": {"torch": "2.7.1", "device": "cpu", "tf32": "false", "threads": "2"},
    "depends on": {"weights": "0123456789abcdef" * 4, "engine": "1"},
}


class FakeDesk(Desk):
    """Answers as told; `gate` closed, nothing is answered at all."""

    def __init__(self, view: QueueView | None = None, found: FaultFindings | None = FINDINGS) -> None:
        self.view = view or QueueView()
        self.found = found
        self.mapped: FaultRates | None = None
        self.orders: list[tuple[object, ...]] = []
        self.refusal = ""
        self.closed = False
        self.configs: dict[int, dict[str, object]] = {}
        self.gate = threading.Event()
        self.gate.set()

    def queue(self) -> QueueView:
        self.gate.wait()
        return self.view

    def findings(self, campaign: int) -> FaultFindings | None:  # noqa: ARG002
        self.gate.wait()
        return self.found

    def rates(self, campaign: int) -> FaultRates | None:  # noqa: ARG002
        self.gate.wait()
        return self.mapped

    def details(self, status: CampaignStatus) -> Details:
        self.gate.wait()
        return Details(status.id, SECTIONS, TABLE_ONE if status.state == "finished" else None)

    def config(self, campaign: int) -> dict[str, object]:
        if campaign not in self.configs:
            raise InputError(f"there is no campaign {campaign}")
        return self.configs[campaign]

    def ask(self, action: str, campaign: int) -> Iterator[str]:
        yield self._obey(f"campaign {campaign}: {action} was heard", action, campaign)

    def move(self, campaign: int, position: int) -> str:
        return self._obey(f"campaign {campaign} is number {position} in the queue", "move", campaign, position)

    def rename(self, campaign: int, name: str) -> str:
        return self._obey(f"campaign {campaign} is {name} now", "rename", campaign, name)

    def note(self, campaign: int, text: str) -> str:
        return self._obey(f"campaign {campaign} has this note now", "note", campaign, text)

    def start_worker(self) -> str:
        return self._obey("the worker, process 4242, runs the queue", "start_worker")

    def stop_worker(self) -> str:
        return self._obey("the worker, process 4242, stops", "stop_worker")

    def report(self, what: Sequence[str], stem: str) -> Path:
        return Path(self._obey(stem, "report", *what))

    def close(self) -> None:
        self.closed = True

    def _obey(self, said: str, *order: object) -> str:
        self.gate.wait()
        if self.refusal:
            raise InputError(self.refusal)
        self.orders.append(order)
        return said


class FakePlanner:
    """Reports on estimates and on submissions what it was made with; then waits to be ended where it was told to."""

    def __init__(self, reports: Sequence[Report], waits: bool = False, on_submit: Sequence[Report] = ()) -> None:
        self._reports = reports
        self._on_submit = on_submit
        self._waits = waits
        self.orders: list[Order] = []
        self.ended = 0
        self._end = threading.Event()

    def __call__(self, order: Order) -> FakePlanner:
        self.orders.append(order)
        self._end.clear()
        return self

    def reports(self) -> Iterator[Report]:
        yield from self._on_submit if self.orders[-1].store else self._reports
        if self._waits:
            self._end.wait()

    def end(self) -> None:
        self.ended += 1
        self._end.set()


def worker_view(**changes: object) -> QueueView:
    """A worker that runs campaign 7, and what else is said."""
    from engine.store.state.heartbeat import WorkerStatus

    worker = WorkerStatus(True, 4242, "cpu", 7, (1008, 2032), 397_812.0, "2026-01-02T03:04:05Z", 0.4)
    values: dict[str, object] = {"holder": Holder(4242, "worker"), "worker": worker}
    return QueueView(**(values | changes))  # type: ignore[arg-type]
