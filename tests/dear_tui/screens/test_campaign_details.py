"""The details beside the list of campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.screens.campaigns import WIDE, CampaignsScreen
from dear_tui.widgets.campaigns.campaign_details import CampaignDetails
from dear_tui.widgets.campaigns.campaign_list import CampaignList
from dear_tui.widgets.faults.fault_map_picture import HeatGrid, most_critical
from tests.dear_tui.memory_desk import FakeDesk
from tests.dear_tui.memory_results import LENET, MemoryResults
from tests.dear_tui.memory_store import (
    FakeSource,
    make_app,
    make_curve,
    make_status,
    resize,
    screen_text,
    settle,
    until,
    until_read,
    until_shown,
)

if TYPE_CHECKING:
    from dear_tui.access.store_reader import Details
    from dear_tui.app import DearApp
    from engine.store import CampaignStatus, QueueView
    from engine.store.read.fault_results import FaultFindings, FaultRates


async def test_details_stand_beside_the_list_where_there_is_room_and_are_asked_for_elsewhere() -> None:
    started, finished = "2026-01-02T03:04:06Z", "2026-01-02T03:13:18Z"
    app = make_app(FakeSource([make_status(7, done=10_000, state="finished", started=started, finished=finished)]))
    async with app.run_test(size=(120, 40)) as pilot:
        await until_shown(
            pilot, "✓ finished  in 9m 12s", "faults.error_margin  0.01",
            "fingerprint", "Accuracy and severities", "clean accuracy   99.35 %  of 10,000 images",
            "faulty accuracy  98.74 %  98.62–98.84 %, mean", "points lost         0.61  0.51 to 0.73",
            "masked           81.51 %  138,938,420 pairs", "non-critical     17.87 %  25,114,522 pairs",
            "critical         0.621 %  957,058 pairs",
            "critical faults    1,714  10.4 %, 9.79–11 %", "lower accuracy       798  4.84 %, 4.42–5.29 %",
            "which images  6, or dear-tui compact 7",
        )  # fmt: skip
        await pilot.press("i")
        await pilot.pause()
        assert "Accuracy and severities" not in screen_text(app)
        await resize(pilot, 80, 24)
        await pilot.press("i")
        await until_shown(pilot, "Accuracy and severities", "#7")
        await pilot.press("tab")
        assert app.screen.query_one(CampaignDetails).has_focus
        await pilot.press("G")
        await until_shown(pilot, "engine   1")
        pane = app.screen.query_one(CampaignDetails)
        await pilot.press("g", "j", "j")
        await until_shown(pilot, "Accuracy and severities")
        assert pane.scroll_target_y == 2
        await pilot.press("k")
        assert pane.scroll_target_y == 1
        await pilot.press("tab")
        assert app.screen.query_one(CampaignList).has_focus


async def test_details_of_an_unfinished_campaign_say_how_it_stands() -> None:
    app = make_app(FakeSource([make_status(7, done=4000, state="running")]))
    async with app.run_test(size=(120, 40)) as pilot:
        text = await until_shown(pilot, "So far, 40 % of the pairs", "critical faults   1,714  10.4 %, 9.79–11 %")
        assert "Accuracy and severities" not in text


MAP = MemoryResults(LENET, 2000, 40, 40).rates(7)


def pictured(state: str = "finished", desk: FakeDesk | None = None, **changes: Any) -> tuple[FakeSource, DearApp]:
    """Campaign 7 with a curve, and with a map."""
    source = FakeSource([make_status(7, done=10_000, state=state, **changes)], {7: make_curve(10_000)})
    desk = desk or FakeDesk()
    desk.mapped = MAP
    return source, make_app(source, desk=desk)


def drawn(app: DearApp) -> tuple[bool, bool]:
    """Whether the curve is on the screen, and the map."""
    text = screen_text(app)
    return "↑ critical faults → images" in text, "±exponent╭" in text


@pytest.mark.parametrize("state", ["running", "paused", "finished", "failed"])
async def test_a_campaign_with_results_has_its_curve_and_its_map_below_what_it_found(state: str) -> None:
    _, app = pictured(state)
    async with app.run_test(size=(120, 40)) as pilot:
        text = await until_shown(pilot, "↑ critical faults → images", "critical ±exponent╭", "conv2  ", "fc3  ")
        assert text.index("critical faults   1,714" if state != "finished" else "lower accuracy") < text.index("↑")
        assert "10k" in text.split("images", 1)[1], "the x axis is logarithmic, as the hardest images run first"


async def test_without_a_point_there_is_no_curve_and_without_results_no_picture() -> None:
    source, app = pictured("running")
    source.curves[7] = make_curve(0)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "±exponent╭")
        assert drawn(app) == (False, True)
        source.statuses = [make_status(8)]
        await until_shown(pilot, "#8")
        await pilot.press("g")
        await until_shown(pilot, "fingerprint")
        assert drawn(app) == (False, False)


@pytest.mark.parametrize(
    ("size", "expected"), [((120, 24), (False, False)), ((120, 32), (True, False)), ((80, 60), (True, True))]
)
async def test_pictures_stand_only_in_lines_that_the_text_leaves(
    size: tuple[int, int], expected: tuple[bool, bool]
) -> None:
    _, app = pictured()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        if size[0] < WIDE:
            await pilot.press("i")
        await until_shown(pilot, "lower accuracy       798")
        await until(pilot, lambda: drawn(app) == expected)
        await resize(pilot, 120, 40)
        await until(pilot, lambda: drawn(app) == (True, True))
        await resize(pilot, *size)
        await until(pilot, lambda: drawn(app) == expected)


async def test_a_map_of_many_layers_has_the_most_critical_ones_in_view() -> None:
    desk = FakeDesk()
    _, app = pictured(desk=desk)
    desk.mapped = MemoryResults({f"conv{number:02}": (8, 8, 3, 3) for number in range(60)}, 4000, 40, 40).rates(7)
    layer, _ = most_critical(HeatGrid.of(desk.mapped))
    async with app.run_test(size=(120, 40)) as pilot:
        text = await until_shown(pilot, f"conv{layer:02}", "▲", "▼", "pairs%")
        assert sum(f"conv{number:02}" in text for number in range(60)) >= 2


class SeenDesk(FakeDesk):
    """Notes of which campaigns it was asked for maps and details."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def rates(self, campaign: int) -> FaultRates | None:
        self.asked.append(campaign)
        return super().rates(campaign)

    def details(self, status: CampaignStatus) -> Details:
        self.asked.append(status.id)
        return super().details(status)


async def test_what_the_cursor_passes_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dear_tui.screens.campaigns.SETTLE_SECONDS", 3600.0)
    desk = SeenDesk()
    source, app = pictured(desk=desk)
    source.statuses = [make_status(number, done=10_000, state="finished") for number in range(9, 0, -1)]
    source.curves = dict.fromkeys(range(1, 10), make_curve(10_000))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, CampaignsScreen)
        await pilot.press("j", "j", "j")
        assert (app.campaign, desk.asked) == (6, [])
        screen._rest()
        await until(pilot, lambda: drawn(app) == (True, True))
        assert sorted(desk.asked) == [6, 6]
        await pilot.press("j")
        assert drawn(app) == (False, False), "not those of another campaign"


async def test_details_are_read_again_once_faults_and_images_are_known() -> None:
    source, desk = FakeSource([make_status(7, faults=0, images=0, pairs=0)]), SeenDesk()
    app = make_app(source, desk=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: desk.asked == [7])
        source.statuses = [make_status(7, state="running")]
        await until(pilot, lambda: desk.asked == [7, 7])


async def test_the_map_is_read_again_with_every_part_and_otherwise_once() -> None:
    desk = SeenDesk()
    source, app = pictured("running", desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: drawn(app) == (True, True))
        assert sorted(desk.asked) == [7, 7]
        source.statuses = [make_status(7, done=9000, state="running")]
        await until_read(pilot, source)
        await until(pilot, lambda: desk.asked.count(7) == 3)
        source.statuses = [make_status(7, done=9000, state="paused")]
        await until_read(pilot, source)
        await until_shown(pilot, "‖ paused")
        assert (desk.asked, drawn(app)) == ([7] * 3, (True, True))


async def test_a_map_that_cannot_be_read_leaves_the_curve() -> None:
    desk = SeenDesk()
    _, app = pictured(desk=desk)
    desk.mapped = None
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: drawn(app)[0])
        await until(pilot, lambda: len(desk.asked) == 2)
        assert drawn(app) == (True, False)


class SlowDesk(FakeDesk):
    """Its details take as long as its gate is closed; all else is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def details(self, status: CampaignStatus) -> Details:
        self.asked.append(status.id)
        return super().details(status)

    def queue(self) -> QueueView:
        return self.view

    def findings(self, campaign: int) -> FaultFindings | None:  # noqa: ARG002
        return self.found


async def test_details_that_take_long_are_read_once_however_often_the_store_changes() -> None:
    source, desk = FakeSource([make_status(7, done=100, state="running")]), SlowDesk()
    desk.gate.clear()
    app = make_app(source, desk=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: desk.asked)
        for done in (200, 300, 400):  # each reading comes later than the cursor has to rest
            source.statuses = [make_status(7, done=done, state="running")]
            await until_read(pilot, source)
        assert desk.asked == [7]
        desk.gate.set()
        await until_shown(pilot, "fingerprint")
        assert desk.asked == [7]
