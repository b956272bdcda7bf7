"""What stands beside the chart of the live screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from dear_tui.screens.live import LiveScreen
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from dear_tui.widgets.campaigns.layer_bars import LayerBars
from dear_tui.widgets.campaigns.small_chart import SmallChart
from dear_tui.widgets.common.log_lines import LogLines
from tests.dear_tui.live_pilot import live_store, press, settle_all
from tests.dear_tui.memory_store import (
    FakeSource,
    make_app,
    make_curve,
    make_layers,
    make_status,
    screen_text,
    settle,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path

    from dear_tui.app import DearApp
    from engine.store import LayerProgress


async def test_z_gives_the_chart_the_screen_and_takes_it_back() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        height = chart.size.height
        await press(pilot, "z")
        assert chart.size.height > height + 4
        assert "16,501 faults" not in screen_text(app)
        await press(pilot, "z")
        assert chart.size.height == height


def side_widgets(app: DearApp) -> list[bool]:
    """Whether each part is on the screen: chart, layers, second chart, log."""
    screen = app.screen
    return [
        bool(screen.find_widget(screen.query_one(kind)).visible_region) if kind_is_laid_out(app, kind) else False
        for kind in (CampaignChart, LayerBars, SmallChart, LogLines)
    ]


def kind_is_laid_out(app: DearApp, kind: type) -> bool:
    return app.screen.query_one(kind) in app.screen._compositor.full_map


@pytest.mark.parametrize(
    ("size", "before", "after"),
    [
        ((80, 24), [True, False, False, False], [False, True, True, False]),
        ((120, 40), [True, True, True, True], [True, False, False, False]),
        ((120, 30), [True, True, True, False], [True, False, False, False]),
        ((200, 60), [True, True, True, True], [True, False, False, False]),
    ],
)
async def test_i_shows_and_hides_what_stands_beside_the_chart(
    size: tuple[int, int], before: list[bool], after: list[bool], tmp_path: Path
) -> None:
    app = make_app(live_store(), 7)
    app.store = tmp_path
    (tmp_path / "worker.log").write_text("2026-01-02T03:04:05Z 99 campaign 7: finished\n")
    async with app.run_test(size=size) as pilot:
        await settle_all(pilot)
        assert side_widgets(app) == before
        assert ("03:04:05  campaign 7: finished" in screen_text(app)) == before[-1]
        await press(pilot, "i")
        assert side_widgets(app) == after
        await press(pilot, "i")
        assert side_widgets(app) == before
        assert isinstance(app.focused, CampaignChart)


async def test_without_a_worker_there_is_no_log_pane(tmp_path: Path) -> None:
    app = make_app(live_store(), 7)
    app.store = tmp_path
    async with app.run_test(size=(120, 40)) as pilot:
        await settle_all(pilot)
        assert side_widgets(app) == [True, True, True, False]


async def test_layers_say_how_far_they_are_and_scroll() -> None:
    source = live_store()
    source.layers = lambda _campaign: many_layers()  # type: ignore[method-assign, assignment]
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle_all(pilot)
        bars = app.screen.query_one(LayerBars)
        assert "layer00" in screen_text(app)
        assert "layer79" not in screen_text(app)
        assert " 50 %      9 /   100" in screen_text(app)
        bars.focus()
        await press(pilot, "G")
        await until(pilot, lambda: "layer79" in screen_text(app))
        assert isinstance(app.focused, LayerBars)
        await press(pilot, "g")
        await until(pilot, lambda: "layer00" in screen_text(app))
        await press(pilot, "j", "j")
        await until(pilot, lambda: "layer00" not in screen_text(app))
        await press(pilot, "k", "k")
        await until(pilot, lambda: "layer00" in screen_text(app))


def many_layers() -> list[LayerProgress]:
    kind = type(make_layers(0)[0])
    return [kind(f"layer{number:02}", 100, 9, 1000, 500) for number in range(80)]


async def test_the_second_chart_shows_what_the_first_does_not() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle_all(pilot)
        side = app.screen.query_one(SmallChart)
        assert "critical faults → EL2N" in "".join(side.picture.rows())
        await press(pilot, "v")
        assert "faults" in next(iter(side.picture.rows()))


async def test_trouble_with_the_details_is_said_and_the_curve_stays() -> None:
    source = live_store()
    source.image_counts = lambda _campaign: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await until(pilot, lambda: "ZeroDivisionError" in screen_text(app))
        assert "critical 1,040" in screen_text(app)


async def test_details_are_read_only_while_the_screen_is_in_front() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await press(pilot, "1")
        await until(pilot, lambda: not [one for one in app.workers if one.group == "live_details" and one.is_running])
        await press(pilot, "2")
        await until(pilot, lambda: any(one.group == "live_details" and one.is_running for one in app.workers))


async def test_wide_names_of_marked_campaigns_leave_nothing_behind() -> None:
    """Each of their characters takes two cells, on the screen and in what is painted again."""
    source = live_store()
    source.statuses = [replace(status, name=f"深度学习 {status.id}") for status in source.statuses]
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        app.marked = frozenset({7, 8, 9})
        app.screen.refresh_snapshot()  # type: ignore[attr-defined]
        await until(pilot, lambda: "深度学习 9" in screen_text(app))
        assert {cell_len(strip.text) for strip in chart._strips} == {chart.size.width}
        assert {strip.cell_length for strip in chart._strips} == {chart.size.width}
        await press(pilot, "v")
        assert "深" not in "".join(strip.text for strip in chart._strips)


async def test_marked_campaigns_are_compared_though_the_chosen_one_has_no_curve_yet() -> None:
    statuses = [make_status(7, done=64, state="finished"), make_status(8, done=9, state="finished"), make_status(9)]
    app = make_app(FakeSource(statuses, {7: make_curve(64), 8: make_curve(9), 9: make_curve(0)}), 9)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.marked = frozenset({7, 8})
        app.screen.refresh_snapshot()  # type: ignore[attr-defined]
        chart = app.screen.query_one(CampaignChart)
        await until(pilot, lambda: chart.plot is not None)
        assert chart.plot is not None
        assert "Critical faults of campaigns 7, 8" in chart.plot.title
