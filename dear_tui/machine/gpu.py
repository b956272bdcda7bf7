"""What the NVIDIA driver says of the GPUs, through NVML: whatever it does not say is None."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MILLI, MICRO = 1000, 10**6
SHARE_SECONDS = 2.0
"""over which a process's utilisation is asked for: the driver samples it once a second or more often"""
PROGRAM = "dear-tui"
PARTS = ("worker", "planner")
"""of it, in processes of their own"""
UNKNOWN = "?"
"""the command of a process that cannot be seen from here"""


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes there."""

    pid: int
    command: str
    memory: int | None = None
    """bytes"""
    utilisation: int | None = None
    """percent of the last seconds in which something of it ran"""
    is_own: bool = False
    """whether it is this program: a worker, a command, or what reads here"""


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one MIG instance of it."""

    name: str
    utilisation: int | None = None
    """percent of the last second in which something ran"""
    memory_used: int | None = None
    """bytes"""
    memory_total: int | None = None
    temperature: int | None = None
    """degrees Celsius"""
    power: float | None = None
    """watts"""
    power_limit: float | None = None
    clock: int | None = None
    """MHz of the multiprocessors"""
    clock_limit: int | None = None
    processes: tuple[GpuProcess, ...] = ()
    instances: tuple[Gpu, ...] = ()
    """MIG"""
    problem: str = ""
    """why it does not answer, in the driver's words"""


@dataclass(frozen=True)
class GpuReading:
    """All GPUs at one moment."""

    gpus: tuple[Gpu, ...] = ()
    problem: str = ""
    """why there are none, or none any more"""


class GpuReader:
    """Asks NVML; a driver that went away is asked anew each time."""

    def __init__(self, nvml: Any = None) -> None:
        """`nvml` stands in for the module `pynvml`, which is imported with the first reading."""
        self._nvml = nvml
        self._is_open = False

    def read(self) -> GpuReading:
        """The present; blocks as long as the driver does."""
        try:
            nvml = self._open()
        except Exception as error:  # no driver, no library, a broken one: campaigns run on the CPU
            return GpuReading(problem=_said(error))
        try:
            return GpuReading(tuple(self._gpu(index) for index in range(nvml.nvmlDeviceGetCount())))
        except Exception as error:
            self.close()
            return GpuReading(problem=_said(error))

    def close(self) -> None:
        """Let the driver go."""
        if self._is_open:
            self._is_open = False
            with suppress(Exception):
                self._nvml.nvmlShutdown()

    def _open(self) -> Any:
        if self._nvml is None:
            import pynvml

            self._nvml = pynvml
        if not self._is_open:
            self._nvml.nvmlInit()
            self._is_open = True
        return self._nvml

    def _gpu(self, index: int) -> Gpu:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            name = nvml.nvmlDeviceGetName(handle)
        except nvml.NVMLError as error:
            return Gpu(f"GPU {index}", problem=_said(error))
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        utilisation = _number(self._ask("nvmlDeviceGetUtilizationRates", handle), "gpu")
        instances = tuple(self._instances(handle))
        of_instances = {process.pid for one in instances for process in one.processes}
        processes = self._processes(handle, utilisation)
        return Gpu(
            name=name,
            utilisation=utilisation,
            memory_used=_number(memory, "used"),
            memory_total=_number(memory, "total"),
            temperature=self._ask("nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU),
            power=_scaled(self._ask("nvmlDeviceGetPowerUsage", handle)),
            power_limit=_scaled(self._ask("nvmlDeviceGetEnforcedPowerLimit", handle)),
            clock=self._ask("nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_SM),
            clock_limit=self._ask("nvmlDeviceGetMaxClockInfo", handle, nvml.NVML_CLOCK_SM),
            # root is told the processes of MIG instances twice: by the instance, and by the GPU
            processes=tuple(process for process in processes if process.pid not in of_instances),
            instances=instances,
        )

    def _instances(self, handle: Any) -> list[Gpu]:
        mode = self._ask("nvmlDeviceGetMigMode", handle)
        if not mode or not mode[0]:
            return []
        places = self._ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0
        found = [self._ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, place) for place in range(places)]
        return [self._instance(instance) for instance in found if instance is not None]

    def _instance(self, handle: Any) -> Gpu:
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        name = self._ask("nvmlDeviceGetName", handle) or "MIG"
        return Gpu(
            name=name[name.find("MIG") :] if "MIG" in name else name,
            memory_used=_number(memory, "used"),
            memory_total=_number(memory, "total"),
            processes=self._processes(handle),
        )

    def _processes(self, handle: Any, utilisation: int | None = None) -> tuple[GpuProcess, ...]:
        """This program's first; `utilisation` is the whole GPU's."""
        found = self._ask("nvmlDeviceGetComputeRunningProcesses", handle) or ()
        if not found:
            return ()
        shares = self._shares(handle)
        # The driver tells the shares of those that ran something. Where it tells none, they are not known, unless
        # nothing ran at all.
        idle = 0 if shares or utilisation == 0 else None
        processes = []
        for one in found:
            command, is_own = command_and_owner(one.pid)
            processes.append(GpuProcess(one.pid, command, one.usedGpuMemory, shares.get(one.pid, idle), is_own))
        return tuple(sorted(processes, key=lambda process: not process.is_own))

    def _shares(self, handle: Any) -> dict[int, int]:
        """Process id -> percent, the newest of the last seconds; empty where the driver tells none."""
        since = int((time.time() - SHARE_SECONDS) * MICRO)
        samples = self._ask("nvmlDeviceGetProcessUtilization", handle, since) or ()
        # some drivers leave places of their list unwritten: what is no percentage is not believed
        told = [sample for sample in samples if sample.timeStamp > since and 0 <= sample.smUtil <= 100]
        return {sample.pid: sample.smUtil for sample in sorted(told, key=lambda sample: sample.timeStamp)}

    def _ask(self, function: str, *arguments: Any) -> Any:
        """None where this GPU, driver or user cannot be told."""
        asked: Callable[..., Any] | None = getattr(self._nvml, function, None)
        if asked is None:
            return None
        try:
            return asked(*arguments)
        except self._nvml.NVMLError:
            return None


def command_and_owner(pid: int) -> tuple[str, bool]:
    """What a process is called, and whether it is this program: a worker, a command, or what reads here."""
    command = f"{PROGRAM}, this terminal" if pid == os.getpid() else command_of(pid)
    return command, command.startswith(PROGRAM)


def command_of(pid: int) -> str:
    """What a process runs, shortly; of other users and in other containers it may not be known."""
    import psutil  # after the first frame

    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        words = process.cmdline() or [process.name()]
        for part in PARTS:
            if f"dear_tui.{part}" in words:
                return f"{PROGRAM} {part}"
        command = [Path(words[0]).name, *words[1:]]
        # installed, the program is a script that its interpreter runs
        starts = [place for place, word in enumerate(words[:2]) if Path(word).name == PROGRAM]
        return " ".join([PROGRAM, *words[starts[0] + 1 :]] if starts else command).strip()
    return UNKNOWN


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _number(values: Any, name: str) -> int | None:
    number = getattr(values, name, None)
    return None if number is None else int(number)


def _scaled(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / MILLI
