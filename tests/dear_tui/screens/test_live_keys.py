"""Each key of the live screen, and what stands beside the chart."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from chart_data import DATA
from memory_store import (
    FakeSource,
    make_app,
    make_curve,
    make_layers,
    make_status,
    screen_text,
    settle,
    until,
    until_shown,
)

from dear_tui.actions import actions_of
from dear_tui.charts.picture import Ink
from dear_tui.charts.view import Kind, View
from dear_tui.screens.live import LiveScreen
from dear_tui.widgets.campaign_chart import CampaignChart
from dear_tui.widgets.layer_bars import LayerBars
from dear_tui.widgets.log_lines import LogLines
from dear_tui.widgets.side_chart import SideChart

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from dear_tui.app import DearApp
    from engine.store import LayerProgress

FINISHED = make_status(7, done=10_000, state="finished")
BEGUN = make_status(9, name="begun", done=3000, state="paused")
CENTRAL = make_status(8, name="central", done=50, images=72, select="central")


def store() -> FakeSource:
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


async def test_a_key_of_another_view_says_which() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle_all(pilot)
        await press(pilot, "d")
        text = await until_shown(pilot, "this key is for the view “scatter”;", "v goes on to the next")
        assert "density" not in text.splitlines()[-1]


async def test_v_goes_round_the_views() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        shown = []
        for _ in range(4):
            shown.append((chart.view.kind, next(iter(chart.picture.rows())).strip()[:22]))
            await press(pilot, "v")
        assert shown == [
            (Kind.CURVE, "↑ faults → images  ⠤⠤⠤"),
            (Kind.SCATTER, "↑ critical faults → el"),
            (Kind.COMPARISON, "↑ % of pairs → images "),
            (Kind.CURVE, "↑ faults → images  ⠤⠤⠤"),
        ]


async def test_random_against_ranked_says_what_it_waits_for() -> None:
    source = FakeSource([make_status(7, done=4000, state="running")], {7: make_curve(4000)})
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, "v", "v")
        assert "drawn once every image has run" in screen_text(app)
        assert "4,000 of 10,000 have" in screen_text(app)
        keys = {action.keys[0] for action in actions_of(app.screen)}
        assert not keys & {"e", "+", "→", "m", "s", "y"}
        await press(pilot, "v")
        assert "non-critical 9,680" in screen_text(app)


async def test_zoom_pan_and_all() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        windows = []
        for key in ("plus", "equals_sign", "l", "l", "h", "minus", "0"):
            await press(pilot, key)
            windows.append(chart.view.window)
        starts, stops = zip(*windows, strict=True)
        assert starts == (0, 0, 0.0625, 0.125, 0.0625, 0.0625, 0)
        assert stops == (0.5, 0.25, 0.3125, 0.375, 0.3125, 0.5625, 1)
        await press(pilot, *["plus"] * 30)
        assert chart.view.window == (0, pytest.approx(8 / 10_000))
        assert " 8" in list(chart.picture.rows())[-1]


async def test_the_zoom_stays_on_the_cursor() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, *["shift+right"] * 4)
        assert chart.plot is not None
        before = chart.view.cursor
        assert before is not None
        place = float(chart.plot.x.place(before + 1))
        await press(pilot, "plus", "plus", "plus")
        assert float(chart.plot.x.place(before + 1)) == pytest.approx(place)
        assert chart.view.cursor == before


async def test_the_cursor_reads_what_is_under_it() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "right")
        assert DATA.counts is not None
        assert f"rank 0  image {DATA.counts.image_id[0]}  el2n 1.38" in screen_text(app)
        steps = []
        for key in ("right", "right", "shift+right", "left", "shift+left"):
            await press(pilot, key)
            steps.append(chart.view.cursor)
        width = chart.picture.area[3]
        expected = [round(column * 10_000 / (width - 1)) for column in (1, 2, 12, 11, 1)]
        assert steps == pytest.approx(expected, abs=10_000 / width)
        await press(pilot, "left", "left", "left")
        assert chart.view.cursor == 0
        await press(pilot, "escape")
        assert "image" not in "".join(list(chart.picture.rows())[-1:])
        assert chart.view.cursor is None


async def test_from_the_right_edge_the_cursor_begins_at_the_end() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "left", "right")
        assert chart.view.cursor is not None
        assert 9_900 < chart.view.cursor <= 9_999


async def test_the_picture_follows_the_cursor() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "plus", "right", *["shift+right"] * 12)
        assert chart.view.cursor is not None
        assert chart.view.cursor > 6000
        assert chart.view.window[0] > 0
        assert (chart.picture.inks == Ink.CURSOR).any()


async def test_in_the_scatter_the_cursor_takes_the_image_with_the_most_critical_faults() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "v", "right")
        assert chart.plot is not None
        readings = chart.plot.readings
        index = readings.find(chart.view.cursor)
        assert index is not None
        column = chart.plot.x.place(readings.x) * (chart.picture.area[3] - 1)
        first_column = readings.weight[column < 0.5]
        assert readings.weight[index] == first_column.max()
        assert "◆" in "".join(chart.picture.rows())


async def test_a_click_reads_out_what_is_under_it() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        _top, left, _rows, width = chart.picture.area
        await pilot.click(CampaignChart, offset=(left + width // 2, 5))
        assert chart.view.cursor == pytest.approx(5000, abs=10_000 / width)
        before = chart.view.cursor
        await pilot.click(CampaignChart, offset=(0, 5))
        assert chart.view.cursor == before


@pytest.mark.parametrize(
    ("keys", "key", "changed"),
    [
        ((), "x", View(log_x=True)),
        ((), "y", View(log=True)),
        ((), "a", View(asymptotes=False)),
        (("v",), "d", View(Kind.SCATTER, density=True)),
        (("v", "v"), "n", View(Kind.COMPARISON, hidden=frozenset({Ink.NON_CRITICAL}))),
        (("v", "v"), "a", View(Kind.COMPARISON, asymptotes=False)),
    ],
)
async def test_toggles(keys: tuple[str, ...], key: str, changed: View) -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, *keys)
        before = list(chart.picture.rows())
        await press(pilot, key)
        assert chart.view == changed
        assert list(chart.picture.rows()) != before
        await press(pilot, key)
        assert list(chart.picture.rows()) == before


async def test_only_keys_that_do_something_are_offered() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)

        def offered() -> set[str]:
            return {key for action in actions_of(app.screen) for key in action.keys}

        always = {"v", "x", "y", "+", "-", "h", "l", "0", "←", "→", "⇧←", "⇧→", "e", "space", "s", "i", "z"}
        assert always | {"m", "n", "c", "a"} <= offered()
        assert not offered() & {"d", "r", "escape", "esc"}
        await press(pilot, "v", "right")
        assert always | {"d", "esc"} <= offered()
        assert not offered() & {"m", "n", "c", "a", "r"}


async def test_marked_campaigns_are_overlaid_while_there_are_some() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        app.marked = frozenset({7, 8, 9})
        app.screen.refresh_snapshot()
        await until(pilot, lambda: chart.view.kind is Kind.OVERLAY)
        for words in ("#9 begun 1,040", "#8 central 843", "#7 lenet5-mnist 1,040"):
            assert words in screen_text(app)
        await press(pilot, "r")
        assert "→ % of images" in screen_text(app)
        await press(pilot, "v")
        assert chart.view.kind is Kind.CURVE
        await press(pilot, "v", "v", "v")
        assert chart.view.kind is Kind.OVERLAY
        app.marked = frozenset({8})
        app.screen.refresh_snapshot()
        await until(pilot, lambda: chart.view.kind is Kind.CURVE)


async def test_export_writes_two_files_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, "plus", "e")
        await until(pilot, lambda: bool(app._notifications))
        said = [notice.message for notice in app._notifications]
    assert said == [f"Written: {tmp_path}/campaign-7-curve.svg, {tmp_path}/campaign-7-curve.csv"]
    with (tmp_path / "campaign-7-curve.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 5000
    assert (tmp_path / "campaign-7-curve.svg").read_text().startswith("<svg")


async def test_an_export_that_fails_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr("dear_tui.widgets.campaign_chart.write_export", _no_room)
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, "e")
        await until(pilot, lambda: bool(app._notifications))
        notice = next(iter(app._notifications))
    assert (notice.message, notice.severity) == (f"{gone}: cannot be written (No space left on device)", "error")


def _no_room(*_args: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ((), ("FROM curve", "campaign = 7", "ORDER BY rank")),
        (("plus",), ("FROM curve", "rank BETWEEN 0 AND 4999")),
        (("v",), ("image_summary", "el2n", "campaign = 7")),
        (("v", "v"), ("WINDOW ranked AS (ORDER BY el2n DESC, image_id",)),
    ],
)
async def test_s_opens_the_query_behind_what_is_shown(
    keys: tuple[str, ...], parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(store(), 7)
    opened: list[str] = []
    monkeypatch.setattr(app, "open_sql", opened.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, *keys, "s")
    assert len(opened) == 1
    assert [part for part in parts if part not in opened[0]] == []


async def test_z_gives_the_chart_the_screen_and_takes_it_back() -> None:
    app = make_app(store(), 7)
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
        for kind in (CampaignChart, LayerBars, SideChart, LogLines)
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
    app = make_app(store(), 7)
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
    app = make_app(store(), 7)
    app.store = tmp_path
    async with app.run_test(size=(120, 40)) as pilot:
        await settle_all(pilot)
        assert side_widgets(app) == [True, True, True, False]


async def test_layers_say_how_far_they_are_and_scroll() -> None:
    source = store()
    source.layers = lambda _campaign: many_layers()  # type: ignore[method-assign]
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


def many_layers() -> list[LayerProgress]:
    kind = type(make_layers(0)[0])
    return [kind(f"layer{number:02}", 100, 9, 1000, 500) for number in range(80)]


async def test_the_second_chart_shows_what_the_first_does_not() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle_all(pilot)
        side = app.screen.query_one(SideChart)
        assert "critical faults → el2n" in "".join(side.picture.rows())
        await press(pilot, "v")
        assert "faults → images" in "".join(side.picture.rows())


async def test_trouble_with_the_details_is_said_and_the_curve_stays() -> None:
    source = store()
    source.image_counts = lambda _campaign: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await until(pilot, lambda: "ZeroDivisionError" in screen_text(app))
        assert "critical 1,040" in screen_text(app)


async def test_details_are_read_only_while_the_screen_is_in_front() -> None:
    app = make_app(store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await press(pilot, "1")
        await until(pilot, lambda: not [one for one in app.workers if one.group == "live_details" and one.is_running])
        await press(pilot, "2")
        await until(pilot, lambda: any(one.group == "live_details" and one.is_running for one in app.workers))
