"""How busy this machine's processor and memory are: from /proc, and where there is none, the load alone."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

IDLE_FIELDS = (3, 4)
"""of a line in /proc/stat: idle, waiting for a disk"""


@dataclass(frozen=True)
class Cpu:
    """The processor at one moment; what is not known is None."""

    name: str = "CPU"
    cores: int = 1
    utilisation: float | None = None
    """percent of all cores since the last reading"""
    per_core: tuple[float, ...] = ()
    """percent each"""
    load: tuple[float, float, float] | None = None
    """processes that want to run, over 1, 5 and 15 minutes"""
    memory_used: int | None = None
    """bytes that cannot be had"""
    memory_total: int | None = None


class CpuReader:
    """Reads /proc; utilisation is counted between two readings."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._before: list[tuple[int, int]] = []
        self._name = ""

    def read(self) -> Cpu:
        """The present."""
        times = self._times()
        before, self._before = self._before, times
        shares = [_share(*pair) for pair in zip(before, times, strict=False)] if len(before) == len(times) else []
        memory = self._memory()
        self._name = self._name or self._model()
        return Cpu(
            name=self._name,
            cores=os.cpu_count() or 1,
            utilisation=shares[0] if shares else None,
            per_core=tuple(shares[1:]),
            load=os.getloadavg(),
            memory_used=memory and memory[0],
            memory_total=memory and memory[1],
        )

    def _times(self) -> list[tuple[int, int]]:
        """Busy and all ticks: of all cores together, then of each."""
        times = []
        for line in self._lines("stat"):
            if line.startswith("cpu"):
                ticks = [int(field) for field in line.split()[1:9]]
                idle = sum(ticks[field] for field in IDLE_FIELDS)
                times.append((sum(ticks) - idle, sum(ticks)))
        return times

    def _memory(self) -> tuple[int, int] | None:
        sizes = {line.split(":")[0]: line.split()[1] for line in self._lines("meminfo")}
        if "MemTotal" not in sizes or "MemAvailable" not in sizes:
            return None
        total, available = (int(sizes[name]) * 1024 for name in ("MemTotal", "MemAvailable"))
        return total - available, total

    def _model(self) -> str:
        names = (line.split(":", 1)[1].strip() for line in self._lines("cpuinfo") if line.startswith("model name"))
        return next(names, "CPU")

    def _lines(self, file: str) -> list[str]:
        with suppress(OSError):
            return (self._proc / file).read_text().splitlines()
        return []


def _share(before: tuple[int, int], after: tuple[int, int]) -> float:
    return 100 * (after[0] - before[0]) / max(after[1] - before[1], 1)
