"""How busy this machine's processor and memory are, as psutil tells it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


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
    """Utilisation is counted between two readings."""

    def __init__(self) -> None:
        self._before: list[Ticks] = []
        self._name = ""

    def read(self) -> Cpu:
        """The present; what the system does not tell is None, or empty."""
        ticks = _ticks_of_cores()
        before, self._before = self._before, ticks
        used = [now.since(past) for past, now in zip(before, ticks, strict=False)] if len(before) == len(ticks) else []
        memory = _memory()
        self._name = self._name or _model()
        return Cpu(
            name=self._name,
            cores=psutil.cpu_count() or 1,
            utilisation=_share(used) if used else None,
            per_core=tuple(_share([core]) for core in used),
            load=psutil.getloadavg(),
            memory_used=memory and memory[0],
            memory_total=memory and memory[1],
        )


@dataclass(frozen=True)
class Ticks:
    """The time of one core."""

    busy: float
    """seconds"""
    all: float

    def since(self, past: Ticks) -> Ticks:
        """What has passed."""
        return Ticks(self.busy - past.busy, self.all - past.all)


def _ticks_of_cores() -> list[Ticks]:
    """The time of guests is part of `user` and `nice` already; waiting for a disk is idle."""
    ticks = []
    with suppress(OSError, ValueError, psutil.Error):
        for times in (core._asdict() for core in psutil.cpu_times(percpu=True)):
            whole = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
            ticks.append(Ticks(whole - times["idle"] - times.get("iowait", 0), whole))
    return ticks


def _share(used: list[Ticks]) -> float:
    """Percent of the time of these cores."""
    whole = sum(core.all for core in used)
    return 100 * sum(core.busy for core in used) / whole if whole > 0 else 0.0


def _memory() -> tuple[int, int] | None:
    with suppress(OSError, ValueError, psutil.Error):
        memory = psutil.virtual_memory()
        return memory.total - memory.available, memory.total
    return None


def _model() -> str:
    """The processor's name, which psutil does not know, where Linux tells it."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        return next(names, "CPU")
    return "CPU"
