"""The machine's GPUs and processor over the last minutes, for whoever shows them."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dear_tui.machine.gpu import Gpu, GpuReader, GpuReading

if TYPE_CHECKING:
    from dear_tui.machine.cpu import Cpu, CpuReader

SECONDS = 1.0
"""between two readings, while somebody looks"""
KEPT = 300


@dataclass(frozen=True)
class Moment:
    """What was read at one time."""

    at: float
    """`time.monotonic()`"""
    gpus: GpuReading
    cpu: Cpu


@dataclass(frozen=True)
class MachineHistory:
    """Readings, the newest last; None stands for a moment in which a value was not known."""

    moments: tuple[Moment, ...] = field(default=(), repr=False)

    @property
    def now(self) -> Moment | None:
        """The newest reading."""
        return self.moments[-1] if self.moments else None

    def gpu_utilisation(self, index: int) -> list[float | None]:
        """How busy the GPU was at each reading, in percent."""
        return [gpu.utilisation if gpu else None for gpu in self._gpu(index)]

    def gpu_memory(self, index: int) -> list[float | None]:
        """How much of its memory the GPU used at each reading, in percent."""
        return [_percent(gpu.memory_used, gpu.memory_total) if gpu else None for gpu in self._gpu(index)]

    def cpu_utilisation(self) -> list[float | None]:
        """How busy the processor was at each reading, in percent."""
        return [moment.cpu.utilisation for moment in self.moments]

    def cpu_memory(self) -> list[float | None]:
        """How much of the memory was used at each reading, in percent."""
        return [_percent(moment.cpu.memory_used, moment.cpu.memory_total) for moment in self.moments]

    def _gpu(self, index: int) -> list[Gpu | None]:
        return [moment.gpus.gpus[index] if index < len(moment.gpus.gpus) else None for moment in self.moments]


class Machine:
    """Reads when asked, from any thread, and remembers."""

    def __init__(self) -> None:
        self._gpus = GpuReader()
        self._cpu: CpuReader | None = None
        self._moments: deque[Moment] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def read(self) -> MachineHistory:
        """The present, after what was before; blocks as long as the driver does, so call it off the event loop.

        Two that look at once share a reading.
        """
        with self._lock:
            if not self._moments or time.monotonic() - self._moments[-1].at > SECONDS / 2:
                self._moments.append(Moment(time.monotonic(), self._gpus.read(), self._read_cpu()))
            return MachineHistory(tuple(self._moments))

    def _read_cpu(self) -> Cpu:
        if self._cpu is None:
            from dear_tui.machine.cpu import CpuReader  # psutil is loaded after the first frame

            self._cpu = CpuReader()
        return self._cpu.read()


def _percent(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole
