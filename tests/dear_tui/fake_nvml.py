"""A stand-in for the module `pynvml`: GPUs as given, and any function made to fail."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

GIB = 2**30


class NVMLError(Exception):
    """As the real one: its text is the driver's."""


@dataclass
class FakeGpu:
    """What one GPU answers."""

    name: str = "NVIDIA H100 80GB HBM3"
    mig: list[FakeGpu] | None = None
    pids: tuple[int, ...] = ()
    """that compute there; with an odd one, the driver tells the memory"""
    shares: tuple[tuple[int, float, int], ...] = ()
    """process id, seconds since it was sampled, percent"""
    utilisation: int = 87
    failing: set[str] = field(default_factory=set)
    """functions that are not supported for this one; `*` for all"""


@dataclass
class FakeNvml:
    """The module; a function that is not in `gpus`' way answers with plausible numbers."""

    gpus: list[FakeGpu]
    failing: set[str] = field(default_factory=set)
    """functions that fail for all; `*` for all"""
    calls: list[str] = field(default_factory=list)
    NVMLError: type[NVMLError] = NVMLError
    NVML_TEMPERATURE_GPU: int = 0
    NVML_CLOCK_SM: int = 1

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("nvml"):
            raise AttributeError(name)

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            gpu = next((argument for argument in arguments if isinstance(argument, FakeGpu)), None)
            if {name, "*"} & (self.failing | (gpu.failing if gpu else set())):
                raise NVMLError(f"{name} is Not Supported")
            return self.answer(name, *arguments)

        return call

    def answer(self, name: str, *arguments: Any) -> Any:
        match name, arguments:
            case "nvmlDeviceGetCount", ():
                return len(self.gpus)
            case "nvmlDeviceGetHandleByIndex", (index,):
                return self.gpus[index]
            case "nvmlDeviceGetName", (gpu,):
                return gpu.name
            case "nvmlDeviceGetUtilizationRates", (gpu,):
                return SimpleNamespace(gpu=gpu.utilisation, memory=40)
            case "nvmlDeviceGetMemoryInfo", _:
                return SimpleNamespace(used=31 * GIB, total=80 * GIB, free=49 * GIB)
            case "nvmlDeviceGetTemperature", _:
                return 48
            case "nvmlDeviceGetPowerUsage", _:
                return 312_400
            case "nvmlDeviceGetEnforcedPowerLimit", _:
                return 700_000
            case "nvmlDeviceGetClockInfo", _:
                return 1755
            case "nvmlDeviceGetMaxClockInfo", _:
                return 1980
            case "nvmlDeviceGetComputeRunningProcesses", (gpu,):
                return [SimpleNamespace(pid=pid, usedGpuMemory=3 * GIB if pid % 2 else None) for pid in gpu.pids]
            case "nvmlDeviceGetProcessUtilization", (gpu, since):
                return self.samples(gpu, since)
            case "nvmlDeviceGetMigMode", (gpu,):
                return [int(gpu.mig is not None), 0]
            case "nvmlDeviceGetMaxMigDeviceCount", _:
                return 7
            case "nvmlDeviceGetMigDeviceHandleByIndex", (gpu, place):
                if place >= len(gpu.mig):
                    raise NVMLError("Not Found")
                return gpu.mig[place]
        return None

    def samples(self, gpu: FakeGpu, since: int) -> list[SimpleNamespace]:
        """The newest first, and a place that was left unwritten; as the real one, an error where there are none."""
        now = time.time()
        shares = ((pid, int((now - ago) * 1e6), percent) for pid, ago, percent in gpu.shares)
        samples = [SimpleNamespace(pid=pid, timeStamp=at, smUtil=percent) for pid, at, percent in shares if at > since]
        if not samples:
            raise NVMLError("Not Found")
        return [*samples, SimpleNamespace(pid=0, timeStamp=0, smUtil=0)]
