"""The live screen, what it says when there is no curve, and each of its keys."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dear_tui.charts.curve_plot import curve_plot
from dear_tui.charts.draw import draw_plot
from dear_tui.charts.picture import Ink, Picture
from dear_tui.charts.plots import ChartData
from dear_tui.screens.new_campaign import NewCampaignScreen
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from dear_tui.widgets.common.chart import component_class
from engine.store import WorkerStatus
from tests.dear_tui.memory_results import make_source
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
    from textual.geometry import Region

RUNNING = make_status(7, done=4000, state="running", rate=397_812.0, eta_s=249.0)


def drawn_curve(done: int, chart: CampaignChart) -> Picture:
    """What the chart should show after so many images."""
    view = chart.view.suited(is_ranked=True)
    return draw_plot(curve_plot(7, make_curve(done), None, view, is_ranked=True), view, *chart.size)


def running() -> FakeSource:
    return FakeSource([RUNNING], {7: make_curve(4000)})


async def test_header_and_chart() -> None:
    app = make_app(running(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = screen_text(app)
    for part in ("#7 lenet5-mnist", "● running", "16,501 faults × 10,000 images", "40.0 %", "398k/s", "ETA 4m 09s",
                 "masked 55.6M  84.2 %", "critical 383k  0.58 %", "critical 1,040",
                 "F = 1,040 critical faults so far, ±10 %"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"state": "running", "pairs_done": 1_234_567},
            "Injecting 16,501 faults into the first block of images, 1.23M of 165M pairs done. "
            "The curve starts when the block is complete. 1 lists the others, 5 shows how busy the machine is.",
        ),
        ({"state": "queued"}, "Waiting for its turn"),
        ({"state": "paused"}, "No process runs this campaign now"),
        ({"state": "failed", "error": "the disk is full; free some"}, "the disk is full; free some"),
        ({"state": "cancelled"}, "Cancelled before the first block"),
    ],
)
async def test_before_the_first_block_it_says_what_is_going_on(changes: dict[str, object], sentence: str) -> None:
    app = make_app(FakeSource([make_status(7, **changes)]), 7)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert sentence in " ".join(screen_text(app).split())
        assert "freeze" not in screen_text(app)


@pytest.mark.parametrize(
    ("mode", "then"), [("2", "are injected into the first block"), ("3", "The results of the first block")]
)
async def test_the_step_before_the_first_fault_is_said(mode: str, then: str) -> None:
    source = make_source("running", done=0)
    source.at_work = WorkerStatus(True, 4242, campaign=7, step="ranking the images: 512 of 1,024, ETA 3s")
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(mode)
        assert then in await until_shown(pilot, "Ranking the images: 512 of 1,024, ETA 3s")
        source.at_work = replace(source.at_work, campaign=6)  # another one's
        await until(pilot, lambda: "Ranking" not in screen_text(app))


async def test_a_campaign_that_goes_on_says_its_step_above_its_curve() -> None:
    source = running()
    source.at_work = WorkerStatus(True, 4242, campaign=7, step="measuring rounding ...")
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "measuring rounding ...")
        source.at_work = WorkerStatus(True, 4242, campaign=7)
        await until(pilot, lambda: "rounding" not in screen_text(app))


async def test_what_is_done_beyond_the_curve_is_said_above_it() -> None:
    source = running()
    source.curves[7] = replace(source.curves[7], beyond=1200)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "1,200 images beyond the curve done, too: blocks out of order.")


async def test_a_failure_stands_above_the_curve() -> None:
    error = 'out of memory in layer fc1: lower [run] memory, or use device = "cpu"'
    failed = make_status(7, done=1500, state="failed", error=error)
    async with make_app(FakeSource([failed], {7: make_curve(1500)}), 7).run_test(size=(80, 24)) as pilot:
        lines = (await until_shown(pilot, "✗ failed", error, "↑ faults by")).splitlines()
        assert f" {error}" in lines
        assert lines.index(f" {error}") < next(row for row, line in enumerate(lines) if "↑ faults by" in line)


async def test_the_curve_appears_with_the_first_block() -> None:
    source = FakeSource([make_status(7, state="running")])
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        source.curves[7] = make_curve(64)
        source.statuses = [make_status(7, done=64, state="running")]
        await until_read(pilot, source)
        assert "first block" not in screen_text(app)
        assert app.screen.query_one(CampaignChart).has_focus


@pytest.mark.parametrize(
    ("campaign", "sentence"), [(None, "No campaign yet"), (9, "Campaign 9 is not in this store; 1 lists what is.")]
)
async def test_without_a_campaign_the_next_step_is_named(campaign: int | None, sentence: str) -> None:
    app = make_app(FakeSource([make_status(1)] if campaign else []), campaign)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await pilot.pause()
        assert sentence in screen_text(app)


async def test_n_makes_the_first_campaign_from_every_screen() -> None:
    for digit in "1236":
        app = make_app(FakeSource([]))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.press(digit)
            await until_shown(pilot, "n makes one", "n new ")
            await pilot.press("n")
            await pilot.pause()
            assert isinstance(app.screen, NewCampaignScreen)


async def test_an_unreadable_store_is_a_sentence() -> None:
    class Broken(FakeSource):
        def campaigns(self) -> list[object]:  # type: ignore[override]
            raise PermissionError("Permission denied")

    app = make_app(Broken(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "The store cannot be read: PermissionError: Permission denied" in screen_text(app)
        await pilot.press("1")
        await pilot.pause()
        assert "The store cannot be read" in screen_text(app)


@pytest.mark.parametrize(
    ("key", "shown", "changed"),
    [
        ("y", " 1k┤", True),
        ("a", "F = 1,040", False),
        ("m", "masked hidden", True),
        ("n", "non-critical hidden", True),
        ("c", "   critical hidden", True),
        ("space", "‖ frozen", True),
    ],
)
async def test_keys_change_the_drawing_and_change_it_back(key: str, shown: str, changed: bool) -> None:
    app = make_app(running(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        async with asyncio.timeout(20):
            while "? keys" not in screen_text(app):  # the footer is made after the body has the focus
                await pilot.pause()
        before = screen_text(app)
        await pilot.press(key)
        await pilot.pause()
        during = screen_text(app)
        await pilot.press(key)
        await pilot.pause()
        assert (shown in before, shown in during) == (not changed, changed)
        assert screen_text(app) == before


async def test_frozen_holds_the_drawing_and_let_go_it_catches_up() -> None:
    source = running()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        chart = app.screen.query_one(CampaignChart)
        await pilot.press("space")
        held = list(chart.picture.rows())
        source.curves[7] = make_curve(8000)
        source.statuses = [make_status(7, done=8000, state="running")]
        await until_read(pilot, source)
        assert list(chart.picture.rows()) == held
        assert "80.0 %" in screen_text(app)
        await pilot.press("space")
        assert list(chart.picture.rows()) == list(drawn_curve(8000, chart).rows())


async def test_another_campaign_is_never_shown_frozen() -> None:
    source = FakeSource([RUNNING, make_status(6, done=9)], {7: make_curve(4000), 6: make_curve(9)})
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("space", "1", "j", "2")
        chart = app.screen.query_one(CampaignChart)
        while app.snapshot.curve_key[:1] != (6,):
            await pilot.pause()
        await pilot.pause()
        assert not chart.view.frozen
        assert "critical 269" in screen_text(app)


async def test_only_the_cells_that_changed_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(running(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        chart = app.screen.query_one(CampaignChart)
        painted: list[Region] = []
        monkeypatch.setattr(chart, "refresh", lambda *regions, **_options: painted.extend(regions))
        chart.show_data(ChartData(7, make_curve(5000), is_ranked=True))
        assert painted
        assert sum(region.area for region in painted) < 40
        assert all("⠀" not in row for row in chart.picture.rows())
        drawn = [chart.render_line(row).text for row in range(chart.size.height)]
        assert drawn == list(drawn_curve(5000, chart).rows())


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_classes_have_colours_of_their_own(theme: str) -> None:
    app = make_app(running(), 7)
    async with app.run_test() as pilot:
        await settle(pilot)
        app.theme = theme
        await pilot.pause()
        chart = app.screen.query_one(CampaignChart)
        inks = (Ink.MASKED, Ink.NON_CRITICAL, Ink.CRITICAL, Ink.METRIC)
        assert len({chart.get_component_rich_style(component_class(ink)).color for ink in inks}) == 4


async def test_the_chart_follows_the_size_of_the_terminal() -> None:
    app = make_app(running(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await resize(pilot, 40, 12)
        await until_shown(pilot, "enlarge the terminal")
        await resize(pilot, 80, 24)
        await until_shown(pilot, "F = 1,040")


async def test_what_is_asked_of_the_campaign_stands_in_the_header_until_it_is_done() -> None:
    source = FakeSource([make_status(7, done=3, state="running")], {7: make_curve(3)})
    source.is_asked = {7: "pause"}
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "◌ pausing")
        source.is_asked = {}
        await until_shown(pilot, "● running")
