"""Campaigns for the live screen, and ways to wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from tests.dear_tui.chart_data import DATA
from tests.dear_tui.memory_store import FakeSource, make_curve, make_status, settle, until

if TYPE_CHECKING:
    from textual.pilot import Pilot


FINISHED = make_status(7, done=10_000, state="finished")
BEGUN = make_status(9, name="begun", done=3000, state="paused")
CENTRAL = make_status(8, name="central", done=50, images=72, select="central")


def live_store() -> FakeSource:
    curves = {7: DATA.curve, 8: make_curve(50, images=72), 9: make_curve(3000)}
    return FakeSource([BEGUN, CENTRAL, FINISHED], curves)


async def settle_all(pilot: Pilot[str]) -> CampaignChart:
    """Wait until the screen has shown everything there is of its campaign."""
    await settle(pilot)
    chart = pilot.app.screen.query_one(CampaignChart)
    await until(pilot, lambda: chart.data is not None and chart.data.counts is not None)
    return chart


async def press(pilot: Pilot[str], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()
