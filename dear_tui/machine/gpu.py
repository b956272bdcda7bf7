"""What the NVIDIA driver says of the GPUs, through NVML: whatever it does not say is None."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MILLI = 1000


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes there."""

    pid: int
    command: str
    memory: int | None = None
    """bytes"""


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
            name = _text(nvml.nvmlDeviceGetName(handle))
        except nvml.NVMLError as error:
            return Gpu(f"GPU {index}", problem=_said(error))
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        return Gpu(
            name=name,
            utilisation=_number(self._ask("nvmlDeviceGetUtilizationRates", handle), "gpu"),
            memory_used=_number(memory, "used"),
            memory_total=_number(memory, "total"),
            temperature=self._ask("nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU),
            power=_scaled(self._ask("nvmlDeviceGetPowerUsage", handle)),
            power_limit=_scaled(self._ask("nvmlDeviceGetEnforcedPowerLimit", handle)),
            clock=self._ask("nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_SM),
            clock_limit=self._ask("nvmlDeviceGetMaxClockInfo", handle, nvml.NVML_CLOCK_SM),
            processes=self._processes(handle),
            instances=tuple(self._instances(handle)),
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
        name = _text(self._ask("nvmlDeviceGetName", handle) or "MIG")
        return Gpu(
            name=name[name.find("MIG") :] if "MIG" in name else name,
            memory_used=_number(memory, "used"),
            memory_total=_number(memory, "total"),
            processes=self._processes(handle),
        )

    def _processes(self, handle: Any) -> tuple[GpuProcess, ...]:
        found = self._ask("nvmlDeviceGetComputeRunningProcesses", handle) or ()
        return tuple(GpuProcess(one.pid, command_of(one.pid), one.usedGpuMemory) for one in found)

    def _ask(self, function: str, *arguments: Any) -> Any:
        """None where this GPU, driver or user cannot be told."""
        asked: Callable[..., Any] | None = getattr(self._nvml, function, None)
        if asked is None:
            return None
        try:
            return asked(*arguments)
        except self._nvml.NVMLError:
            return None


def command_of(pid: int) -> str:
    """What a process runs, shortly; of other users and in other containers it may not be known."""
    import psutil  # after the first frame

    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        words = process.cmdline() or [process.name()]
        if "dear_tui.worker" in words:
            return "dear-tui worker"
        return " ".join([Path(words[0]).name, *words[1:]]).strip()
    return "?"


def _said(error: Exception) -> str:
    return _text(str(error)).rstrip(".") or type(error).__name__


def _text(value: str | bytes) -> str:
    """Older bindings give bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _number(values: Any, name: str) -> int | None:
    number = getattr(values, name, None)
    return None if number is None else int(number)


def _scaled(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / MILLI
