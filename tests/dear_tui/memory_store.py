"""A store that is only in memory, and campaigns to put into it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dear_tui.app import DearApp
from dear_tui.machine.cpu import Cpu
from dear_tui.machine.gpu import GpuReading
from dear_tui.machine.machine import Machine, MachineHistory, Moment
from dear_tui.machine.processes import CpuProcess
from engine.analysis.accuracy_cost import CRITICAL, Effect
from engine.errors import UnreachableError
from engine.store.read.reading import StoreReader
from engine.store.records import CampaignStatus, CurveData, ImageCounts, LayerProgress
from engine.store.state.heartbeat import WorkerStatus
from tests.dear_tui.memory_desk import FakeDesk, FakePlanner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from textual.pilot import Pilot

    from engine.store import Action
    from engine.store.read.fault_results import FaultRates


FAULTS, IMAGES = 16_501, 10_000
NO_DRIVER = GpuReading(problem="NVML Shared Library Not Found")


class FakeSource(StoreReader):
    """Campaigns and curves as given; both may be changed while an app reads them."""

    def __init__(self, campaigns: Sequence[CampaignStatus] = (), curves: dict[int, CurveData] | None = None) -> None:
        self.statuses = list(campaigns)
        self.curves = curves or {}
        self.curve_calls = 0
        self.at_work = WorkerStatus(running=False)
        self.closed = 0
        self.studies: dict[int, str] = {}
        self.is_asked: dict[int, Action] = {}

    def campaigns(self) -> list[CampaignStatus]:
        return list(self.statuses)

    def description(self, campaign: int) -> dict[str, Any]:
        return {"study": self.studies.get(campaign), "factors": {}}

    def curve(self, campaign: int) -> CurveData:
        self.curve_calls += 1
        return self.curves.get(campaign) or make_curve(0)

    def image_counts(self, campaign: int) -> ImageCounts:
        return make_image_counts(self.curve(campaign))

    def layers(self, campaign: int) -> list[LayerProgress]:
        return make_layers(len(self.curve(campaign).critical))

    def read(self, query: str) -> dict[str, NDArray[np.int64]]:
        """The critical pairs, which is all that the live screen asks for: each fault's first one."""
        campaign = int(query.split("campaign = ")[1])
        curve, counts = self.curve(campaign), self.image_counts(campaign)
        fault = np.arange(curve.critical[-1])
        return {"fault_id": fault, "image_id": counts.image_id[np.searchsorted(curve.critical, fault, side="right")]}

    def rates(self, campaign: int, effect: Effect = CRITICAL) -> FaultRates:
        raise UnreachableError(f"campaign {campaign} is in memory only: nobody knows {effect.words}")

    def orders(self) -> dict[int, Action]:
        return dict(self.is_asked)

    def worker(self) -> WorkerStatus:
        return self.at_work

    def close(self) -> None:
        self.closed += 1


def make_curve(done: int, images: int = IMAGES, faults: int = FAULTS) -> CurveData:
    """A curve of the shape that LeNet-5 on MNIST gives, after `done` images."""
    rank = np.arange(1, images + 1)
    critical = np.floor(1040 * (1 - np.exp(-rank / 30))).astype(np.int64)
    non_critical = np.floor(10_200 * (1 - np.exp(-rank / 8))).astype(np.int64) - critical // 2
    return CurveData(
        faults=faults,
        images=images,
        metric_name="el2n",
        metric=1.38 * np.exp(-(rank - 1) / 180),
        masked=(faults - critical - non_critical)[:done],
        non_critical=non_critical[:done],
        critical=critical[:done],
        screened=np.zeros(done, np.int64),
    )


def make_image_counts(curve: CurveData, data_set: int | None = None) -> ImageCounts:
    """Counts of the shape that LeNet-5 on MNIST gives: most critical faults near the decision boundary."""
    images, done = curve.images, len(curve.critical)
    random = np.random.default_rng(0)
    critical = random.poisson(4 + 700 * np.exp(-(((curve.metric - 0.7) / 0.15) ** 2)))
    non_critical = random.poisson(2600, images)
    ran = np.arange(images) < done
    return ImageCounts(
        faults=curve.faults,
        data_set=data_set or images,
        metric_name=curve.metric_name,
        image_id=random.permutation(images),
        metric=curve.metric,
        masked=(curve.faults - critical - non_critical) * ran,
        non_critical=non_critical * ran,
        critical=critical * ran,
        screened=np.zeros(images, np.int64),
        dropped=np.zeros(images, np.int64),
    )


def make_layers(done: int, images: int = IMAGES) -> list[LayerProgress]:
    """The layers of LeNet-5; conv1 and conv2 are one block of 64 images ahead of the rest."""
    layers = (("conv1", 44, 15), ("conv2", 644, 97), ("fc1", 12_886, 583), ("fc2", 2697, 290), ("fc3", 230, 55))
    return [
        LayerProgress(
            name=name,
            faults=faults,
            critical=critical if done else 0,
            pairs=faults * images,
            pairs_done=faults * min(done + 64 * ahead, images),
        )
        for (name, faults, critical), ahead in zip(layers, (True, True, False, False, False), strict=True)
    ]


def make_status(campaign: int = 1, done: int = 0, **changes: object) -> CampaignStatus:
    """A campaign of LeNet-5 on MNIST, queued unless changed, of which `done` images are stored."""
    pairs = done * FAULTS
    masked, critical = round(pairs * 0.842), round(pairs * 0.0058)
    status = CampaignStatus(
        id=campaign,
        name="lenet5-mnist",
        state="queued",
        network="lenet5",
        dataset="mnist",
        select="all",
        method="exact",
        faults=FAULTS,
        images=IMAGES,
        pairs=FAULTS * IMAGES,
        pairs_done=pairs,
        rate=None,
        eta_s=None,
        masked=masked,
        non_critical=pairs - masked - critical,
        critical=critical,
        created="2026-01-02T03:04:05Z",
        started=None,
        finished=None,
        error=None,
    )
    return replace(status, **changes)  # type: ignore[arg-type]


def make_app(
    source: FakeSource,
    campaign: int | None = None,
    desk: FakeDesk | None = None,
    plan_with: FakePlanner | None = None,
) -> DearApp:
    """The app over a source in memory, with a desk and a planner that do nothing."""
    app = DearApp(
        Path("/data/store"),
        campaign,
        lambda _path: source,
        lambda _path: desk or FakeDesk(),
        plan_with or FakePlanner([], waits=True),  # type: ignore[arg-type]
        machine=FixedMachine(),
    )
    app.animation_level = "none"  # a picture must not depend on how far scrolling has come
    return app


PROCESSES = (
    CpuProcess(4242, "dear-tui worker", 187.4, 2 * 10**9, True),
    CpuProcess(77, "python train.py --epochs 90", 12.0, None),
)


class FixedMachine(Machine):
    """The same machine on every machine: without a GPU, unless one is given."""

    def __init__(self, gpus: GpuReading = NO_DRIVER) -> None:
        super().__init__()
        self.gpus = gpus

    def read(self, with_processes: bool = False) -> MachineHistory:
        moments = []
        now = time.monotonic()
        processes = PROCESSES if with_processes else ()
        for second in range(90):
            share = round(50 + 45 * np.sin(second / 9))
            cpu = Cpu(
                "Some Processor @ 3.00GHz", 4, share, (100.0, share, 12.0, 0.0), (3.2, 2.5, 1.0), 6 * 10**9, 24 * 10**9
            )
            gpus = tuple(
                replace(
                    gpu,
                    utilisation=gpu.utilisation and max(share - 10, 0),
                    memory_used=gpu.memory_used and int(gpu.memory_used * min(1, second / 60)),
                )
                for gpu in self.gpus.gpus
            )
            moments.append(Moment(now - 89 + second, replace(self.gpus, gpus=gpus), cpu, processes))
        return MachineHistory(tuple(moments))


async def settle(pilot: Pilot[str]) -> None:
    """Wait until the app has shown a first reading of its source."""
    app = pilot.app
    assert isinstance(app, DearApp)
    async with asyncio.timeout(20):
        while app.snapshot.campaigns is None and not app.snapshot.problem:
            await pilot.pause()
    await pilot.pause()


async def until_read(pilot: Pilot[str], source: FakeSource) -> None:
    """Wait until the app shows what the source holds now."""
    app = pilot.app
    assert isinstance(app, DearApp)
    async with asyncio.timeout(20):
        while app.snapshot.campaigns != tuple(source.statuses):
            await pilot.pause()
    await pilot.pause()


def screen_text(app: DearApp) -> str:
    """What stands on the screen, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


async def until(pilot: Pilot[Any], is_so: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(30):
        while not is_so():
            await pilot.pause(0.01)
    await pilot.pause()


async def resize(pilot: Pilot[Any], columns: int, rows: int) -> None:
    """Make the terminal another size, and wait until the screen has it; Textual takes its time for that."""
    await pilot.resize_terminal(columns, rows)
    await until(pilot, lambda: pilot.app.screen.size == (columns, rows))
    await pilot.pause()


async def until_shown(pilot: Pilot[str], *texts: str) -> str:
    """Wait until all of these stand on the screen."""
    app = pilot.app
    assert isinstance(app, DearApp)
    try:
        async with asyncio.timeout(20):
            while not all(text in screen_text(app) for text in texts):
                await pilot.pause(0.01)
    except TimeoutError:
        raise AssertionError(f"waited for {texts}, but there is\n{screen_text(app)}") from None
    return screen_text(app)


async def open_screen(pilot: Pilot[str], digit: str, *texts: str) -> None:
    """Go to a screen once the store is read, and wait until these stand there."""
    await settle(pilot)
    await pilot.press(digit)
    await until_shown(pilot, *texts)
    await pilot.pause()
