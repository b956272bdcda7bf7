"""The GPU screen: read in a thread, once a second, only while it is seen; a driver that hangs is said."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from dear_tui.machine.gpu import GpuProcess, GpuReader, GpuReading
from dear_tui.machine.machine import Machine, MachineHistory
from dear_tui.screens import gpu as gpu_screen
from dear_tui.screens.gpu import MachineCards, MachineView
from dear_tui.screens.live import LiveScreen
from dear_tui.widgets.machine.machine_text import machine_line
from dear_tui.widgets.machine.machine_watch import GpuPanel
from engine.store.state.heartbeat import WorkerStatus
from tests.dear_tui.fake_nvml import FakeGpu, FakeNvml
from tests.dear_tui.memory_store import (
    FakeSource,
    FixedMachine,
    make_app,
    make_curve,
    make_status,
    open_screen,
    screen_text,
    settle,
    until,
    until_shown,
)

if TYPE_CHECKING:
    from dear_tui.app import DearApp


class Counted(FixedMachine):
    """Counts its readings; may be made to hang."""

    def __init__(self) -> None:
        super().__init__(GpuReader(FakeNvml([FakeGpu(), FakeGpu()])).read())
        self.readings, self.threads = 0, set[threading.Thread]()
        self.hangs = False
        self.answers = threading.Event()
        self.answers.set()

    def read(self, with_processes: bool = False) -> MachineHistory:
        self.readings += 1
        self.threads.add(threading.current_thread())
        self.hangs = not self.answers.is_set()
        self.answers.wait()
        self.hangs = False
        return super().read(with_processes)


async def test_it_reads_only_while_it_is_seen_and_never_on_the_event_loop() -> None:
    app, machine = make_app(FakeSource()), Counted()
    app.machine = machine
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert machine.readings == 0
        await pilot.press("5")
        await until_shown(pilot, "GPU 1")
        cards = app.screen.query_one(MachineCards)
        await pilot.press("1")
        async with asyncio.timeout(20):
            while cards._is_reading:  # one that had begun
                await pilot.pause()
        seen = machine.readings
        cards.look()
        await pilot.pause()
        assert machine.readings == seen
        assert threading.main_thread() not in machine.threads


async def test_a_driver_that_hangs_freezes_no_key_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    app, machine = make_app(FakeSource()), Counted()
    app.machine = machine
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("5")
        await until_shown(pilot, "GPU 1")
        cards = app.screen.query_one(MachineCards)
        machine.answers.clear()
        async with asyncio.timeout(20):
            while not machine.hangs:
                cards.look()
                await pilot.pause()
        readings = machine.readings
        monkeypatch.setattr(gpu_screen, "LATE_SECONDS", 0.0)
        cards.look()
        await until_shown(pilot, "The driver has not answered for")
        assert machine.readings == readings
        await pilot.press("2")
        assert isinstance(app.screen, LiveScreen)
        machine.answers.set()


def at_work_on(pid: int, device: str | None) -> FakeSource:
    source = FakeSource([make_status(3, state="running")])
    source.at_work = WorkerStatus(running=True, pid=pid, campaign=3, device=device)
    return source


def app_with(source: FakeSource, *processes: GpuProcess) -> DearApp:
    app = make_app(source)
    gpu = GpuReader(FakeNvml([FakeGpu()])).read().gpus[0]
    app.machine = FixedMachine(GpuReading((replace(gpu, processes=processes),)))
    return app


async def test_the_worker_is_named_among_the_processes_with_its_campaign_and_its_shares() -> None:
    processes = (GpuProcess(99, "?"), GpuProcess(4711, "?", 21 * 2**30, utilisation=61))
    app = app_with(at_work_on(4711, "cuda:0"), *processes)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "5", "campaign 3")
        lines = [" ".join(line.split()) for line in screen_text(app).splitlines()]
        assert "process utilisation memory" in lines
        assert "▸ 4711 dear-tui worker, campaign 3 61 % 22.5 GB 26 %" in lines
        assert "99 not seen from here – –" in lines
        assert "The driver does not name it" not in screen_text(app)


async def test_a_worker_that_the_driver_does_not_name_is_said_with_what_it_says_itself() -> None:
    app = app_with(at_work_on(4711, "cuda:0"), GpuProcess(99, "?"))
    async with app.run_test(size=(80, 30)) as pilot:
        await open_screen(pilot, "5", "▸ dear-tui worker, process 4711: campaign 3 runs on cuda:0.")
        assert "The driver does not name it: its share is not known." in screen_text(app)
        assert app.screen.query_one(MachineView).max_scroll_y == 0


@pytest.mark.parametrize("device", ["cpu", None])
async def test_a_worker_that_computes_elsewhere_is_not_missed_on_the_gpu(device: str | None) -> None:
    app = app_with(at_work_on(4711, device), GpuProcess(99, "python train.py"))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "5", "python train.py")
        assert "4711" not in screen_text(app)


async def test_a_driver_that_names_no_process_is_said() -> None:
    app = app_with(FakeSource())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "5", "The driver names no process that computes here.")


async def test_a_command_cannot_steer_the_terminal() -> None:
    app = app_with(FakeSource(), GpuProcess(99, "python\x1b[2J\nx"))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "5", r"python\x1b[2J x")


async def test_what_does_not_fit_is_scrolled_to() -> None:
    app = make_app(FakeSource())
    app.machine = Counted()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("5")
        await until_shown(pilot, "GPU 1")
        scroll = app.screen.query_one(MachineView)
        assert scroll.max_scroll_y > 0

        def is_at(row: int) -> bool:
            return scroll.scroll_target_y == row

        for key, moved in (("j", 1), ("j", 2), ("k", 1)):
            await pilot.press(key)
            await until(pilot, partial(is_at, moved))


async def test_the_live_screen_has_a_line_of_the_gpus() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    app.machine = Counted()
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        await until_shown(pilot, "GPU 1")
        line = str(app.screen.query_one(GpuPanel).content)
        assert line.startswith("GPU 0   20 % ▅▅▄▄▄▃▃▂▂▂")


async def test_the_live_screen_has_no_such_line_without_a_gpu() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        panel = app.screen.query_one(GpuPanel)
        while panel._history.now is None:
            await pilot.pause()
        assert not panel.display


def test_the_line_has_all_gpus_and_is_cut_at_the_width() -> None:
    history = Counted().read()
    line = machine_line(history, 120)
    assert "85.9 GB  48 °C  312 W  │  GPU 1" in line.plain
    assert machine_line(history, 20).cell_length == 20
    assert machine_line(MachineHistory(), 20).plain == ""


def test_two_that_look_at_once_share_a_reading() -> None:
    machine = Machine()
    assert len(machine.read().moments) == len(machine.read().moments) == 1


async def test_without_a_gpu_too_the_processes_are_named_under_a_time_axis() -> None:
    app = make_app(FakeSource())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("5")
        await until_shown(pilot, "5 machine", "No GPU", "╵30s", "now", "of one core")
        await until_shown(pilot, "▸   4242  dear-tui worker", "187 %", "python train.py --epochs 90")
