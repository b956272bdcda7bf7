"""Pictures of the GPU screen, and of the one line for other screens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dear_tui.machine.gpu import GpuProcess, GpuReader, GpuReading
from tests.dear_tui.fake_nvml import FakeGpu, FakeNvml
from tests.dear_tui.memory_store import FakeSource, FixedMachine, make_app, open_screen
from tests.dear_tui.pictures import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from dear_tui.app import DearApp

MIG = FakeGpu(
    mig=[FakeGpu(f"NVIDIA H100 MIG {name}") for name in ("1g.10gb", "2g.20gb")],
    failing={"nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetPowerUsage"},
)


def machine(kind: str) -> FixedMachine:
    match kind:
        case "no-gpu":
            return FixedMachine()
        case "one-gpu":
            reading = GpuReader(FakeNvml([FakeGpu()])).read()
            worker = GpuProcess(4711, "dear-tui worker", 31 * 10**9, utilisation=61, is_own=True)
            processes = (worker, GpuProcess(99, "?", None))
            return FixedMachine(GpuReading((replace(reading.gpus[0], processes=processes),)))
        case "mig":
            return FixedMachine(GpuReader(FakeNvml([MIG])).read())
        case _:
            return FixedMachine(GpuReader(FakeNvml([FakeGpu(), FakeGpu(failing={"*"})])).read())


def gpu_app(kind: str) -> DearApp:
    app = make_app(FakeSource())
    app.machine = machine(kind)
    return app


async def show(pilot: Any) -> None:
    await open_screen(pilot, "5", "CPU  ")


@pictures("kind", "no-gpu 80x24", "one-gpu 120x40", "mig 120x40", "two-gpus 120x40")
def test_picture(kind: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(gpu_app(kind), terminal_size=size, run_before=show)


@pictures("kind terminal", "one-gpu NO_COLOR 80x24")
def test_picture_without_true_colour(
    kind: str,
    terminal: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    few_colours(terminal)
    assert snap_compare(gpu_app(kind), terminal_size=size, run_before=show)
