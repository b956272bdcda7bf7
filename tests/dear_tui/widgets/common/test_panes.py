"""The border between two panes: dragged by the mouse, moved by keys, within limits, and kept."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.geometry import Region
from textual.widgets import Select

from dear_tui.app import DearApp
from dear_tui.settings.settings import Settings
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from dear_tui.widgets.campaigns.campaign_details import CampaignDetails
from dear_tui.widgets.campaigns.layer_bars import LayerBars
from dear_tui.widgets.common.panes import HEIGHT_STEP, WIDTH_STEP, Division, Panes, Splitter
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.images.image_pane import ImagePane
from dear_tui.widgets.sql.schema_tree import SchemaTree
from tests.dear_tui.live_pilot import live_store, press, settle_all
from tests.dear_tui.memory_results import make_source
from tests.dear_tui.memory_store import (
    FakeSource,
    make_app,
    make_status,
    open_screen,
    resize,
    screen_text,
    settle,
    until,
    until_shown,
)
from tests.dear_tui.sql_store import make_store, open_sql

if TYPE_CHECKING:
    from textual.pilot import Pilot

WIDE, NARROW = (120, 40), (80, 24)
FAR = 500
"""cells, more than any terminal here has"""


def panes_of(pilot: Pilot[str], name: str) -> Panes:
    return next(one for one in pilot.app.screen.query(Panes) if one.name == name)


def division_of(panes: Panes) -> Division:
    assert panes._division is not None
    return panes._division


def sizes(panes: Panes) -> tuple[int, int]:
    """Columns of both panes, or lines where one is above the other."""
    now = division_of(panes)
    return now.first.width, now.second.width


def at_border(panes: Panes, by: int = 0) -> tuple[int, int]:
    """The middle of the border, or so many cells beside it, as far as the terminal goes."""
    x, y, width, height = division_of(panes).regions[-1]
    columns, lines = panes.app.size
    x, y = x + width // 2, y + height // 2
    if division_of(panes).is_beside:
        return min(max(x + by, 0), columns - 1), y
    return x, min(max(y + by, 0), lines - 1)


async def drag(pilot: Pilot[str], panes: Panes, by: int) -> None:
    """Press on the border, move the mouse, let go, and leave."""
    here, there = at_border(panes), at_border(panes, by)
    await pilot.mouse_down(None, here)
    await pilot.hover(None, there)
    await pilot.mouse_up(None, there)
    await pilot.hover(None, (0, 0))
    await pilot.pause()


async def open_images(pilot: Pilot[str]) -> Panes:
    await open_screen(pilot, "6", "▀▀▀▀")
    return panes_of(pilot, "images")


def finished_app() -> DearApp:
    return make_app(FakeSource([make_status(7, done=10_000, state="finished")]), 7)


async def open_campaigns(pilot: Pilot[str]) -> Panes:
    await open_screen(pilot, "1", "#7")
    return panes_of(pilot, "campaigns")


def list_text(app: DearApp) -> str:
    """What stands in the list."""
    x, y, width, height = app.screen.query_one(RowList).region
    return "\n".join(line[x : x + width] for line in screen_text(app).splitlines()[y : y + height])


@pytest.mark.parametrize("is_beside", [True, False])
def test_a_division_keeps_what_each_pane_needs(is_beside: bool) -> None:
    now = Division(is_beside, Region(0, 1, 60, 20), Region(61, 1, 39, 20), (30, 20), is_border_of_first=False)
    for wanted, got in ((50, 50), (0, 30), (-5, 30), (99, 79)):
        moved = now.with_first(wanted)
        assert (moved.first, moved.second) == (Region(0, 1, got, 20), Region(got + 1, 1, 99 - got, 20))
        column = Region(got, 1, 1, 20)
        assert moved.regions[-1] == (column if is_beside else Region(1, got, 20, 1)), "the gap"
    crowded = Division(is_beside, Region(0, 1, 20, 20), Region(20, 1, 20, 20), (30, 20), is_border_of_first=False)
    assert crowded.with_first(25) == crowded


async def test_the_border_is_dragged_and_shows_only_under_the_mouse() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=WIDE) as pilot:
        panes = await open_images(pilot)
        before, text = sizes(panes), screen_text(app)
        assert "┃" not in text
        await pilot.hover(None, at_border(panes))
        await until_shown(pilot, "┃")
        await pilot.hover(None, (0, 0))
        await until(pilot, lambda: screen_text(app) == text)
        await drag(pilot, panes, 9)
        assert sizes(panes) == (before[0] + 9, before[1] - 9)
        assert "┃" not in screen_text(app)
        assert [pane.region.width for pane in panes.query("RowList, ImagePane")] == [*sizes(panes)]
        await drag(pilot, panes, -9)
        await until(pilot, lambda: screen_text(app) == text)


async def test_another_button_and_another_place_drag_nothing() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=WIDE) as pilot:
        panes = await open_images(pilot)
        before = sizes(panes)
        for by, button in ((0, 3), (2, 1), (-3, 1)):
            await pilot.mouse_down(None, at_border(panes, by), button=button)
            await pilot.hover(None, at_border(panes, 12))
            await pilot.mouse_up(None, at_border(panes, 12))
            assert sizes(panes) == before


@pytest.mark.parametrize(
    ("name", "keys", "least"),
    [("images", "6", (36, 26)), ("campaigns", "1i", (4, 6))],
)
async def test_at_80x24_no_pane_is_smaller_than_it_needs(name: str, keys: str, least: tuple[int, int]) -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await press(pilot, *keys)
        await until(pilot, lambda: app.screen.query(Panes) and panes_of(pilot, name)._division)
        panes = panes_of(pilot, name)
        room = sum(sizes(panes))
        for by, expected in ((-FAR, (least[0], room - least[0])), (FAR, (room - least[1], least[1]))):
            await drag(pilot, panes, by)
            assert sizes(panes) == expected
            first, second = (one.region for one in panes.displayed_children if not isinstance(one, Splitter))
            assert not first.overlaps(second)
            assert first.union(second) == panes.content_region


async def test_the_editor_and_the_views_of_sql_keep_their_shares_while_views_are_hidden(tmp_path: Path) -> None:
    app = DearApp(make_store(tmp_path / "store"))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen = await open_sql(pilot)
        views, query = panes_of(pilot, "sql-views"), panes_of(pilot, "sql")
        await drag(pilot, views, 10)
        await drag(pilot, query, 5)
        columns, lines = sizes(views), sizes(query)
        assert (columns[0], lines[0]) == (44, 17)
        screen.query_one(SchemaTree).focus()
        await press(pilot, "t")
        assert not screen.query_one(SchemaTree).display
        assert screen.editor.region.width == 120
        assert sizes(query) == lines
        await press(pilot, "t")
        assert sizes(views) == columns
        await drag(pilot, query, -FAR)
        assert sizes(query)[0] == 5
        assert sizes(views) == columns


async def test_keys_move_the_border_of_the_pane_with_the_focus() -> None:
    app = finished_app()
    async with app.run_test(size=WIDE) as pilot:
        panes = await open_campaigns(pilot)
        await until(pilot, lambda: app.screen.query_one(CampaignDetails).display)
        first, second = sizes(panes)
        await press(pilot, "left_parenthesis")
        assert sizes(panes) == (first - WIDTH_STEP, second + WIDTH_STEP), "the list is narrower"
        await press(pilot, "tab", "left_parenthesis")
        assert sizes(panes) == (first, second), "now the details are"
        await press(pilot, "right_parenthesis", "right_parenthesis")
        assert sizes(panes) == (first - 2 * WIDTH_STEP, second + 2 * WIDTH_STEP)
        await press(pilot, *["right_parenthesis"] * 40)
        assert sizes(panes) == (40, 80)
        await press(pilot, "left_parenthesis")
        assert sizes(panes) == (40 + WIDTH_STEP, 80 - WIDTH_STEP), "of what was too far nothing is left over"
        await press(pilot, "right_curly_bracket", "left_curly_bracket")
        assert sizes(panes) == (40 + WIDTH_STEP, 80 - WIDTH_STEP), "there is none above"


async def test_the_same_keys_in_every_direction_beside_the_chart() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=WIDE) as pilot:
        chart = await settle_all(pilot)
        sides, layers = panes_of(pilot, "live"), panes_of(pilot, "live-layers")
        await until(pilot, lambda: layers._division)
        width, height = sizes(sides)[0], sizes(layers)[0]
        await press(pilot, "left_parenthesis")
        assert sizes(sides)[0] == width - WIDTH_STEP
        app.screen.query_one(LayerBars).focus()
        await press(pilot, "left_parenthesis", "right_curly_bracket")
        assert sizes(sides)[0] == width
        assert sizes(layers)[0] == height + HEIGHT_STEP
        chart.focus()
        await press(pilot, "z", "right_parenthesis", "z")
        assert sizes(sides)[0] == width, "what fills the screen has no border"


async def test_the_side_of_the_live_screen_comes_back_with_its_share() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=WIDE) as pilot:
        chart = await settle_all(pilot)
        panes = panes_of(pilot, "live")
        await drag(pilot, panes, -20)
        divided = sizes(panes)
        assert divided == (62, 58)
        await press(pilot, "i")
        assert chart.region.width == 118
        await press(pilot, "i")
        assert sizes(panes) == divided
        await resize(pilot, *NARROW)
        await press(pilot, "i")
        assert chart.region.width == 78
        await press(pilot, "i")
        assert app.screen.query_one(LayerBars).region.width == 78, "where there is room for one, it has all of it"


async def test_a_drag_of_the_chart_and_one_of_the_border_do_not_meet() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=WIDE) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, "plus", "l")
        panes = panes_of(pilot, "live")
        window, before = chart.view.window, sizes(panes)
        await drag(pilot, panes, -20)
        assert chart.view.window == window
        assert sizes(panes) == (before[0] - 20, before[1] + 20)
        await pilot.mouse_down(CampaignChart, (20, 8))
        await pilot.hover(None, at_border(panes))
        assert not panes.query_one(Splitter).display
        await pilot.mouse_up(None, at_border(panes, 4))
        assert chart.view.window != window
        assert sizes(panes) == (before[0] - 20, before[1] + 20)


async def test_after_a_resize_panes_keep_their_share_and_have_another_one_above_each_other() -> None:
    app = finished_app()
    async with app.run_test(size=WIDE) as pilot:
        panes = await open_campaigns(pilot)
        await until(pilot, lambda: app.screen.query_one(CampaignDetails).display)
        await drag(pilot, panes, 60 - sizes(panes)[0])
        await resize(pilot, 200, 50)
        assert sizes(panes) == (100, 100)
        await press(pilot, "i", "i")
        await resize(pilot, *NARROW)
        above = sizes(panes)
        assert not division_of(panes).is_beside
        assert sum(above) == panes.region.height
        await press(pilot, "right_curly_bracket")
        assert sizes(panes) == (above[0] + HEIGHT_STEP, above[1] - HEIGHT_STEP)
        await resize(pilot, 112, 40)
        assert sizes(panes) == (56, 56)
        await resize(pilot, 60, 8)
        assert sum(sizes(panes)) == panes.region.height, "the styles divide what is not enough"


async def test_the_lines_of_a_list_are_as_wide_as_it() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=WIDE) as pilot:
        panes = await open_images(pilot)
        assert "critical" not in list_text(app)
        await drag(pilot, panes, FAR)
        await until(pilot, lambda: "critical" in list_text(app))
        assert app.screen.query_one(ImagePane).region.width == 26
        await drag(pilot, panes, -FAR)
        await until(pilot, lambda: "critical" not in list_text(app))
        text = list_text(app)
        await press(pilot, "z", "j", "k")
        await until(pilot, lambda: "critical" in list_text(app))
        await press(pilot, "z")
        await until(pilot, lambda: list_text(app) == text)


async def test_another_screen_takes_the_mouse_away() -> None:
    """The next click is not a drag's."""
    app = make_app(make_source(), 7)
    async with app.run_test(size=WIDE) as pilot:
        panes = await open_images(pilot)
        await pilot.mouse_down(None, at_border(panes))
        await press(pilot, "2")
        await until(pilot, lambda: app.mouse_captured is None)
        await press(pilot, "6")
        before = sizes(panes)
        await pilot.hover(None, at_border(panes, 5))
        await pilot.pause()
        assert sizes(panes) == before


async def test_the_form_has_the_share_when_it_is_opened_again() -> None:
    app = finished_app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for width in (72, 66):
            app.open_form()
            await until_shown(pilot, "sample lenet5-mnist")
            panes = panes_of(pilot, "form")
            assert sizes(panes) == (width, 120 - width)
            await drag(pilot, panes, -6)
            assert sizes(panes) == (width - 6, 126 - width)
            app.screen.query_one(Select).focus()
            await press(pilot, "right_parenthesis", "left_parenthesis")
            assert sizes(panes) == (width - 6, 126 - width)
            await press(pilot, "escape")


async def test_the_share_is_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('theme = "nord"  # mine\n')

    def app(panes: dict[str, float]) -> DearApp:
        settings = Settings(path, panes=panes)
        return DearApp(Path("/data/store"), 7, lambda _path: make_source(), settings=settings)

    def kept() -> dict[str, float]:
        shares: dict[str, float] = tomllib.loads(path.read_text()).get("panes", {})
        return shares

    async with app({}).run_test(size=(100, 30)) as pilot:
        panes = await open_images(pilot)
        await pilot.hover(None, at_border(panes))
        await drag(pilot, panes, 60 - sizes(panes)[0])
        await until(pilot, lambda: kept() == {"images-width": 0.6})
        await press(pilot, "left_parenthesis")
        await until(pilot, lambda: kept() == {"images-width": 0.56})
    assert path.read_text().startswith('theme = "nord"  # mine\n')
    async with app(kept()).run_test(size=(100, 30)) as pilot:
        assert sizes(await open_images(pilot)) == (56, 44)
