"""What is read out of the chart of the live screen: zoom, cursor and click."""

from __future__ import annotations

import pytest
from textual import events

from dear_tui.charts.picture import Ink
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from tests.dear_tui.chart_data import DATA
from tests.dear_tui.live_pilot import live_store, press, settle_all
from tests.dear_tui.memory_store import make_app, screen_text, until


async def test_zoom_pan_and_all() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "x")  # linear, of so many images the axis is logarithmic at first
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
    app = make_app(live_store(), 7)
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
    app = make_app(live_store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "x", "right")
        assert DATA.counts is not None
        text = screen_text(app)
        assert f"after 1 image  image {DATA.counts.image_id[0]} " in text
        assert "EL2N 1.38 " in text
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
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "x", "left", "right")
        assert chart.view.cursor is not None
        assert 9_900 < chart.view.cursor <= 9_999


async def test_the_picture_follows_the_cursor() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "x", "plus", "right", *["shift+right"] * 12)
        assert chart.view.cursor is not None
        assert chart.view.cursor > 6000
        assert chart.view.window[0] > 0
        assert (chart.picture.inks == Ink.CURSOR).any()


async def test_in_the_scatter_the_cursor_takes_the_image_with_the_most_critical_faults() -> None:
    app = make_app(live_store(), 7)
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
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "x")
        _top, left, _rows, width = chart.picture.area
        await pilot.click(CampaignChart, offset=(left + width // 2, 5))
        assert chart.view.cursor == pytest.approx(5000, abs=10_000 / width)
        before = chart.view.cursor
        await pilot.click(CampaignChart, offset=(0, 5))
        assert chart.view.cursor == before


async def test_the_wheel_zooms_at_the_pointer_and_a_drag_moves() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        _top, left, _rows, width = chart.picture.area
        column = left + width // 2
        for _ in range(4):
            chart.post_message(mouse(events.MouseScrollUp, chart, column))
        await pilot.pause()
        start, stop = chart.view.window
        assert stop - start == pytest.approx(1.25**-4)
        assert start < 0.5 < stop, "what was under the pointer is still there"
        chart.post_message(mouse(events.MouseScrollDown, chart, column))
        await pilot.pause()
        start, stop = chart.view.window
        await pilot.mouse_down(chart, offset=(column, 8))
        await pilot.hover(chart, offset=(column - 10, 8))
        await pilot.mouse_up(chart, offset=(column - 10, 8))
        await pilot.pause()
        moved, _ = chart.view.window
        assert moved == pytest.approx(start + 10 / width * (stop - start))
        assert chart.view.cursor is None, "a drag reads nothing out"
        await pilot.click(chart, offset=(column, 8))
        assert chart.view.cursor is not None


async def test_a_drag_ends_where_another_screen_takes_the_mouse_away() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "plus", "l")
        window = chart.view.window
        await pilot.mouse_down(chart, offset=(40, 8))
        await press(pilot, "1")
        await until(pilot, lambda: app.mouse_captured is None)
        await press(pilot, "2")
        await pilot.hover(chart, offset=(20, 8))
        await pilot.pause()
        assert chart.view.window == window


def mouse(kind: type[events.MouseEvent], widget: CampaignChart, column: int) -> events.MouseEvent:
    return kind(widget, x=column, y=8, delta_x=0, delta_y=0, button=0, shift=False, meta=False, ctrl=False)
