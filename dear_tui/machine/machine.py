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
    from dear_tui.machine.processes import CpuProcess, ProcessReader

SECONDS = 1.0
"""between two readings, while somebody looks"""
KEPT = 300
"""seconds, and readings"""
GAP_SECONDS = 3.0
"""without a reading: what was then is not known"""


@dataclass(frozen=True)
class Moment:
    """What was read at one time."""

    at: float
    """`time.monotonic()`"""
    gpus: GpuReading
    cpu: Cpu
    processes: tuple[CpuProcess, ...] = ()
    """the busiest on the processor, where somebody looks at them"""


@dataclass(frozen=True)
class MachineHistory:
    """Readings, the newest last; None stands for a moment in which a value was not known."""

    moments: tuple[Moment, ...] = field(default=(), repr=False)

    @property
    def now(self) -> Moment | None:
        """The newest reading."""
        return self.moments[-1] if self.moments else None

    def gpu_utilisation(self, index: int) -> list[float | None]:
        """How busy the GPU was in each second, in percent."""
        return self._by_second([gpu.utilisation if gpu else None for gpu in self._gpu(index)])

    def gpu_memory(self, index: int) -> list[float | None]:
        """How much of its memory the GPU used in each second, in percent."""
        return self._by_second(
            [_percent(gpu.memory_used, gpu.memory_total) if gpu else None for gpu in self._gpu(index)]
        )

    def cpu_utilisation(self) -> list[float | None]:
        """How busy the processor was in each second, in percent."""
        return self._by_second([moment.cpu.utilisation for moment in self.moments])

    def cpu_memory(self) -> list[float | None]:
        """How much of the memory was used in each second, in percent."""
        return self._by_second([_percent(moment.cpu.memory_used, moment.cpu.memory_total) for moment in self.moments])

    def _gpu(self, index: int) -> list[Gpu | None]:
        return [moment.gpus.gpus[index] if index < len(moment.gpus.gpus) else None for moment in self.moments]

    def _by_second(self, values: list[float | None]) -> list[float | None]:
        """A value of each reading -> one of each second up to the newest; None where nobody looked for a while."""
        if not self.moments:
            return []
        newest = self.moments[-1].at
        seconds = min(round(newest - self.moments[0].at), KEPT - 1)
        shown: list[float | None] = []
        place = len(self.moments) - 1
        for age in range(seconds + 1):
            until = newest - age + SECONDS / 2
            while place and self.moments[place].at > until:
                place -= 1
            is_near = until - self.moments[place].at <= GAP_SECONDS
            shown.append(values[place] if is_near else None)
        return shown[::-1]


class Machine:
    """Reads when asked, from any thread, and remembers."""

    def __init__(self) -> None:
        self._gpus = GpuReader()
        self._cpu: CpuReader | None = None
        self._processes: ProcessReader | None = None
        self._moments: deque[Moment] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def read(self, with_processes: bool = False) -> MachineHistory:
        """The present, after what was before; blocks as long as the driver does, so call it off the event loop.

        Two that look at once share a reading. The processes on the processor are read where they are asked for.
        """
        with self._lock:
            if not self._moments or time.monotonic() - self._moments[-1].at > SECONDS / 2:
                processes = self._read_processes() if with_processes else ()
                self._moments.append(Moment(time.monotonic(), self._gpus.read(), self._read_cpu(), processes))
            return MachineHistory(tuple(self._moments))

    def _read_cpu(self) -> Cpu:
        if self._cpu is None:
            from dear_tui.machine.cpu import CpuReader  # psutil is loaded after the first frame

            self._cpu = CpuReader()
        return self._cpu.read()

    def _read_processes(self) -> tuple[CpuProcess, ...]:
        if self._processes is None:
            from dear_tui.machine.processes import ProcessReader  # as above

            self._processes = ProcessReader()
        return self._processes.read()


def _percent(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole
