"""Which processes use this machine's processor, as psutil tells it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import psutil

from dear_tui.machine.gpu import command_and_owner

MOST = 6
"""processes that are told"""


@dataclass(frozen=True)
class CpuProcess:
    """A process that computes on the processor."""

    pid: int
    command: str
    share: float
    """percent of one core since the reading before; of two cores it uses in full, 200"""
    memory: int | None = None
    """bytes that are in memory; None where another user's may not be seen"""
    is_own: bool = False
    """whether it is this program: a worker, a command, or what reads here"""


class ProcessReader:
    """Shares are counted between two readings: the first one tells none."""

    def __init__(self) -> None:
        self._has_read = False

    def read(self) -> tuple[CpuProcess, ...]:
        """Those that used the processor most, the busiest first."""
        shares: list[tuple[float, int]] = []
        processes = {}
        for process in psutil.process_iter():  # the same objects each time, which know what they had used before
            with suppress(psutil.Error, OSError):
                shares.append((process.cpu_percent(), process.pid))
                processes[process.pid] = process
        had_read, self._has_read = self._has_read, True
        if not had_read:
            return ()
        busiest = sorted(((share, pid) for share, pid in shares if share > 0), reverse=True)[:MOST]
        return tuple(_told(processes[pid], share) for share, pid in busiest)


def _told(process: psutil.Process, share: float) -> CpuProcess:
    command, is_own = command_and_owner(process.pid)
    memory = None
    with suppress(psutil.Error, OSError):
        memory = process.memory_info().rss
    return CpuProcess(process.pid, command, share, memory, is_own)
