"""The processes on the processor: counted between two readings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psutil

from dear_tui.machine.processes import MOST, ProcessReader

if TYPE_CHECKING:
    import pytest


class Told:
    """A process that used so much each time."""

    def __init__(self, pid: int, share: float, gone: bool = False) -> None:
        self.pid, self.share, self.gone = pid, share, gone

    def cpu_percent(self) -> float:
        if self.gone:
            raise psutil.NoSuchProcess(self.pid)
        return self.share

    def memory_info(self) -> Any:
        raise psutil.AccessDenied(self.pid)


def test_the_busiest_come_first_and_what_ended_or_idles_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [Told(os.getpid(), 30.0), Told(2, 0.0), Told(3, 5.0, gone=True)]
    told += [Told(100 + number, 40.0 + number) for number in range(MOST - 1)]
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(told))
    reader = ProcessReader()
    assert reader.read() == (), "nothing is counted yet"
    shares = [(process.share, process.is_own, process.memory) for process in reader.read()]
    assert shares == [*((40.0 + number, False, None) for number in reversed(range(MOST - 1))), (30.0, True, None)]


def test_this_process_is_seen_at_work() -> None:
    reader = ProcessReader()
    reader.read()
    sum(range(3_000_000))
    own = [process for process in reader.read() if process.pid == os.getpid()]
    assert [process.command for process in own] == ["dear-tui, this terminal"]
    assert own[0].is_own
    assert own[0].memory
