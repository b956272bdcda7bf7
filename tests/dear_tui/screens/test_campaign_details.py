"""The details beside the list of campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.widgets.campaigns.campaign_details import CampaignDetails
from dear_tui.widgets.campaigns.campaign_list import CampaignList
from tests.dear_tui.memory_desk import FakeDesk
from tests.dear_tui.memory_store import (
    FakeSource,
    make_app,
    make_status,
    resize,
    screen_text,
    until,
    until_read,
    until_shown,
)

if TYPE_CHECKING:
    from dear_tui.access.store_reader import Details
    from engine.store import CampaignStatus, QueueView
    from engine.store.read.fault_results import FaultFindings


async def test_details_stand_beside_the_list_where_there_is_room_and_are_asked_for_elsewhere() -> None:
    started, finished = "2026-01-02T03:04:06Z", "2026-01-02T03:13:18Z"
    app = make_app(FakeSource([make_status(7, done=10_000, state="finished", started=started, finished=finished)]))
    async with app.run_test(size=(120, 40)) as pilot:
        await until_shown(
            pilot, "✓ finished  in 9m 12s", "faults.error_margin  0.01",
            "fingerprint", "Accuracy and severities", "clean accuracy   99.35 %  of 10,000 images",
            "faulty accuracy  98.74 %  mean over the faults",
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
