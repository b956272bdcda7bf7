"""Pictures of the campaigns screen and of the form: their states, wide in colours and narrow without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.store.state.queue import QueueView
from tests.dear_tui.memory_desk import FakeDesk, FakePlanner, worker_view
from tests.dear_tui.memory_results import LENET, MemoryResults
from tests.dear_tui.memory_store import FakeSource, make_app, make_curve, make_status, settle, until, until_shown
from tests.dear_tui.pictures import pictures
from tests.dear_tui.screens.test_new_campaign_screen import ESTIMATE, MATERIAL, type_into

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from engine.store.records import CampaignStatus

STARTED = "2026-01-02T03:04:06Z"
FULL = 10_000


def seventh(state: str) -> CampaignStatus:
    """Number 7, as it is in this state."""
    match state:
        case "running":
            return make_status(7, done=4000, state=state, started=STARTED, rate=397_812.0, eta_s=249.0)
        case _:
            return make_status(7, done=FULL, state="finished", started=STARTED, finished="2026-01-02T03:13:18Z")


def source(state: str) -> FakeSource:
    """A store with number 7 in this state between others, or with very many."""
    if state == "many":
        states = ("finished", "failed", "cancelled", "paused")
        many = [make_status(n, name=f"night run {n}", done=n * 40, state=states[n % 4]) for n in range(240, 0, -1)]
        return FakeSource([make_status(241, name="tonight", done=4000, state="running", rate=9e5, eta_s=90.0), *many])
    return FakeSource([
        make_status(8, name="resnet20 on CIFAR-10, central images only", network="resnet20", dataset="cifar10",
                    select="central", faults=16_627, images=312, pairs=16_627 * 312),
        seventh(state),
        make_status(6, name="interrupted", done=1000, state="paused"),
        make_status(5, name="名前", state="failed", error="/data/store: the disk is full; free some space"),
    ], {7: make_curve(4000)})  # fmt: skip


def desk(state: str) -> FakeDesk:
    match state:
        case "many":
            return FakeDesk(worker_view())
        case "running":
            made = FakeDesk(worker_view(waiting=(8,)))
            made.mapped = MemoryResults(LENET, 2000, 40, 16).rates(7)
            return made
        case _:
            return FakeDesk(QueueView(waiting=(8,)))


async def shown(pilot: Any) -> None:
    """Wait for all that threads read."""
    await settle(pilot)
    await until_shown(pilot, "name", "orker")
    screen = pilot.app.screen
    of = {status.id for status in pilot.app.snapshot.campaigns if status.critical}
    await until(pilot, lambda: of <= screen._found.keys())
    await pilot.press("g")
    if pilot.app.size.width >= 110:
        shown_last = ("critical faults →", "pairs%") if pilot.app.desk.mapped else ("fingerprint",)
        await until_shown(pilot, *shown_last)


@pictures("state", "running 120x40", "many 120x40")
def test_campaigns(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    app = make_app(source(state), desk=desk(state))
    assert snap_compare(app, run_before=shown, terminal_size=size)


def test_campaigns_with_details_below(snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await shown(pilot)
        await pilot.press("c", "j", "i")
        await until_shown(pilot, "Accuracy and severities")

    assert snap_compare(make_app(source("finished"), desk=desk("finished")), run_before=show)


@pictures("state terminal", "running NO_COLOR 80x24", "form-wrong 16-colours 120x40")
def test_without_true_colour(
    state: str,
    terminal: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
    few_colours: Callable[[str], None],
) -> None:
    few_colours(terminal)
    screen, _, filled = state.partition("-")
    app = make_app(source("running"), desk=desk("running"), plan_with=FakePlanner([MATERIAL, ESTIMATE]))
    fill = form_of(filled, monkeypatch)

    async def show(pilot: Any) -> None:
        await shown(pilot)
        await pilot.press("c")
        if screen == "form":
            await fill(pilot)

    assert snap_compare(app, run_before=show, terminal_size=size)


def form_of(state: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """What brings the form into a state, the same in every folder."""
    monkeypatch.setattr("dear_tui.form.sources.Path.cwd", lambda: Path("/home/ada"))

    async def show(pilot: Any) -> None:
        await pilot.press("n")
        await until_shown(pilot, "lenet5-mnist", "rchitecture")
        if state == "measured":
            await until_shown(pilot, "40s to 50s")
        else:
            await type_into(pilot, "model", "arch", "resnet20")
            await until_shown(pilot, "1 field to fix")
            await pilot.press("down", "down")  # to a choice, where no cursor blinks
            await until_shown(pilot, "[dataset] name")

    return show


@pictures("state", "measured 120x40", "wrong 80x24")
def test_form(
    state: str, size: tuple[int, int], snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = FakePlanner([MATERIAL, ESTIMATE], waits=True)
    fill = form_of(state, monkeypatch)

    async def show(pilot: Any) -> None:
        await settle(pilot)
        await fill(pilot)

    assert snap_compare(make_app(FakeSource(), plan_with=planner), run_before=show, terminal_size=size)
