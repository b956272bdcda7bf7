"""GPUs as NVML tells of them: everything may be missing, and the driver may go at any time."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import psutil
import pytest

from dear_tui.machine.gpu import Gpu, GpuProcess, GpuReader, GpuReading, command_of
from tests.dear_tui.fake_nvml import GIB, FakeGpu, FakeNvml

ASKED = (
    "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetTemperature", "nvmlDeviceGetPowerUsage",
    "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetClockInfo", "nvmlDeviceGetMaxClockInfo", "nvmlDeviceGetMigMode",
    "nvmlDeviceGetComputeRunningProcesses",
)  # fmt: skip
FULL = Gpu(
    name="NVIDIA H100 80GB HBM3",
    utilisation=87,
    memory_used=31 * GIB,
    memory_total=80 * GIB,
    temperature=48,
    power=312.4,
    power_limit=700.0,
    clock=1755,
    clock_limit=1980,
)


def read(*gpus: FakeGpu) -> GpuReading:
    return GpuReader(FakeNvml(list(gpus))).read()


def test_all_that_a_gpu_tells() -> None:
    assert read(FakeGpu()) == GpuReading((FULL,))


def test_two_gpus_and_names_as_older_bindings_give_them() -> None:
    first, second = read(FakeGpu(b"Tesla T4"), FakeGpu()).gpus
    assert (first.name, second) == ("Tesla T4", FULL)


@pytest.mark.parametrize("function", ASKED)
def test_what_one_function_cannot_tell_is_missing_and_the_rest_is_there(function: str) -> None:
    gpu = read(FakeGpu(failing={function})).gpus[0]
    lost = {field.name for field in fields(Gpu) if getattr(gpu, field.name) != getattr(FULL, field.name)}
    assert all(getattr(gpu, name) is None for name in lost)
    assert bool(lost) == (function not in ("nvmlDeviceGetMigMode", "nvmlDeviceGetComputeRunningProcesses"))


def test_a_gpu_of_which_nothing_is_told_has_its_name() -> None:
    assert read(FakeGpu(failing=set(ASKED))).gpus == (Gpu(FULL.name),)


def test_functions_that_an_older_binding_lacks_are_missing_values() -> None:
    class Older(FakeNvml):
        def __getattr__(self, name: str) -> object:
            if name == "nvmlDeviceGetMigMode":
                raise AttributeError(name)
            return super().__getattr__(name)

    assert GpuReader(Older([FakeGpu()])).read().gpus == (FULL,)


def test_a_lost_gpu_says_so_beside_one_that_works() -> None:
    lost, works = read(FakeGpu(failing={"*"}), FakeGpu()).gpus
    assert lost == Gpu("GPU 0", problem="nvmlDeviceGetName is Not Supported")
    assert works == FULL


def test_mig_instances_with_missing_values() -> None:
    instances = [
        FakeGpu("NVIDIA H100 80GB HBM3 MIG 1g.10gb", pids=(1,)),
        FakeGpu("NVIDIA H100 80GB HBM3 MIG 2g.20gb", failing={"nvmlDeviceGetMemoryInfo"}),
    ]
    gpu = read(FakeGpu(mig=instances, failing={"nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo"})).gpus[0]
    assert (gpu.utilisation, gpu.memory_used) == (None, None)
    assert [(one.name, one.memory_used) for one in gpu.instances] == [("MIG 1g.10gb", 31 * GIB), ("MIG 2g.20gb", None)]
    assert [process.pid for process in gpu.instances[0].processes] == [1]


def test_processes_and_the_memory_of_those_that_tell() -> None:
    processes = read(FakeGpu(pids=(1, 4_000_000))).gpus[0].processes
    assert processes == (GpuProcess(1, command_of(1), 3 * GIB), GpuProcess(4_000_000, "?", None))


def test_without_a_library_there_are_no_gpus_and_the_reason() -> None:
    reader = GpuReader(FakeNvml([], failing={"nvmlInit"}))
    assert reader.read() == GpuReading(problem="nvmlInit is Not Supported")


def test_a_driver_that_dies_is_asked_anew_and_comes_back() -> None:
    nvml = FakeNvml([FakeGpu()])
    reader = GpuReader(nvml)
    assert reader.read().gpus == (FULL,)
    nvml.failing = {"*"}
    assert reader.read() == GpuReading(problem="nvmlDeviceGetCount is Not Supported")
    assert reader.read() == GpuReading(problem="nvmlInit is Not Supported")
    nvml.failing = set()
    assert reader.read().gpus == (FULL,)
    assert nvml.calls.count("nvmlInit") == 3
    reader.close()
    assert nvml.calls[-1] == "nvmlShutdown"


def test_this_machines_own_library_is_asked_and_never_raises() -> None:
    reading = GpuReader().read()
    assert reading.gpus or reading.problem


def test_the_command_of_a_process() -> None:
    code = "print('ready', flush=True); input()"
    command = [sys.executable, "-c", code, "dear_tui.worker"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert command_of(process.pid) == "dear-tui worker"
        assert command_of(os.getpid()).split(" ")[0] == Path(psutil.Process().cmdline()[0]).name
    finally:
        process.communicate(b"\n")
    assert command_of(process.pid) == "?"
