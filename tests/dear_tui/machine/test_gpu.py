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
    "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetProcessUtilization",
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


def test_two_gpus_have_their_names() -> None:
    first, second = read(FakeGpu("Tesla T4"), FakeGpu()).gpus
    assert (first.name, second) == ("Tesla T4", FULL)


@pytest.mark.parametrize("function", ASKED)
def test_what_one_function_cannot_tell_is_missing_and_the_rest_is_there(function: str) -> None:
    gpu = read(FakeGpu(failing={function})).gpus[0]
    lost = {field.name for field in fields(Gpu) if getattr(gpu, field.name) != getattr(FULL, field.name)}
    assert all(getattr(gpu, name) is None for name in lost)
    of_processes = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetProcessUtilization")
    assert bool(lost) == (function not in ("nvmlDeviceGetMigMode", *of_processes))


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


def shares(gpu: FakeGpu) -> dict[int, int | None]:
    return {process.pid: process.utilisation for process in read(gpu).gpus[0].processes}


def test_the_share_of_a_process_is_its_newest_sample_of_the_last_seconds() -> None:
    sampled = ((1, 0.3, 61), (1, 1.1, 7), (3, 60.0, 99), (77, 0.2, 5))
    assert shares(FakeGpu(pids=(1, 3), shares=sampled)) == {1: 61, 3: 0}


def test_shares_that_are_no_percentage_are_not_believed() -> None:
    assert shares(FakeGpu(pids=(1, 3), shares=((1, 0.3, 4_000_000), (3, 0.3, 100)))) == {1: 0, 3: 100}


@pytest.mark.parametrize(("busy", "share"), [(87, None), (0, 0)])
def test_without_samples_shares_are_known_only_of_an_idle_gpu(busy: int, share: int | None) -> None:
    assert shares(FakeGpu(pids=(1,), utilisation=busy)) == {1: share}
    assert shares(FakeGpu(pids=(1,), utilisation=busy, failing={"nvmlDeviceGetProcessUtilization"})) == {1: share}


def test_this_program_is_known_among_the_processes_and_comes_first() -> None:
    processes = read(FakeGpu(pids=(1, os.getpid(), 4_000_000))).gpus[0].processes
    assert [(process.command, process.is_own) for process in processes] == [
        ("dear-tui, this terminal", True), (command_of(1), False), ("?", False),
    ]  # fmt: skip


def test_processes_of_an_instance_that_the_gpu_names_too_are_there_once() -> None:
    gpu = read(FakeGpu(pids=(1, 3), mig=[FakeGpu("NVIDIA H100 MIG 1g.10gb", pids=(1,))])).gpus[0]
    assert [process.pid for process in gpu.processes] == [3]
    assert [process.pid for process in gpu.instances[0].processes] == [1]


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


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["/usr/bin/python3.12", "-P", "-m", "dear_tui.planner"], "dear-tui planner"),
        (["/usr/bin/python3.12", "/home/a/.venv/bin/dear-tui", "run", "a.toml"], "dear-tui run a.toml"),
        (["dear-tui"], "dear-tui"),
        (["/usr/bin/python3.12", "train.py", "/bin/dear-tui"], "python3.12 train.py /bin/dear-tui"),
    ],
)
def test_this_program_is_called_by_its_name(words: list[str], command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "cmdline", lambda _process: words)
    assert command_of(os.getpid()) == command
