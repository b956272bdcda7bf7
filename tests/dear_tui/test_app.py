"""The app around the screens: switching, leaving, reading in a thread."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Input

from dear_tui.app import DearApp
from dear_tui.screens.campaigns import CampaignsScreen
from dear_tui.screens.dialogs.keys import KeysScreen
from dear_tui.screens.live import LiveScreen
from dear_tui.screens.new_campaign import NewCampaignScreen
from dear_tui.terminal.textual_private import line_filters
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from engine.store.records import CampaignStatus
from tests.dear_tui.memory_desk import FakeDesk
from tests.dear_tui.memory_store import (
    FakeSource,
    FixedMachine,
    make_app,
    make_curve,
    make_status,
    screen_text,
    settle,
    until,
    until_read,
)


async def test_it_opens_on_the_list_or_on_the_given_campaign() -> None:
    source = FakeSource([make_status(1, done=3)], {1: make_curve(3)})
    for campaign, screen in ((None, CampaignsScreen), (1, LiveScreen)):
        async with make_app(source, campaign).run_test() as pilot:
            await settle(pilot)
            assert isinstance(pilot.app.screen, screen)


async def test_1_and_2_switch_screens() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}))
    async with app.run_test() as pilot:
        await settle(pilot)
        for key, screen in (("2", LiveScreen), ("1", CampaignsScreen), ("1", CampaignsScreen), ("2", LiveScreen)):
            await pilot.press(key)
            assert isinstance(app.screen, screen)


async def test_a_switch_of_screens_is_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}))
    async with app.run_test() as pilot:
        await settle(pilot)
        timers: list[float] = []
        set_timer = app.set_timer

        def counted(delay: float, *rest: Any, **named: Any) -> Timer:
            timers.append(delay)
            return set_timer(delay, *rest, **named)

        monkeypatch.setattr(app, "set_timer", counted)
        await pilot.press("2")
        assert timers
        assert max(timers) <= 0.01


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_says_which_campaign_goes_on(key: str) -> None:
    source = FakeSource([make_status(7, done=4000, state="running"), make_status(6), make_status(5, state="finished")])
    app = make_app(source)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press(key)
    assert app.return_value == (
        "Campaign 7 (lenet5-mnist) goes on in its own process, 40 % done; dear-tui shows it again."
    )


async def test_leaving_is_silent_when_nothing_runs() -> None:
    app = make_app(FakeSource([make_status(5, state="finished")]))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("q")
    assert app.return_value == ""


async def test_leaving_closes_whatever_was_opened(tmp_path: Path) -> None:
    sources: list[FakeSource] = []
    desk = FakeDesk()

    def open_source(_path: Path) -> FakeSource:
        sources.append(FakeSource([make_status(1, done=3)], {1: make_curve(3)}))
        return sources[-1]

    app = DearApp(tmp_path / "store", None, open_source, lambda _path: desk, machine=FixedMachine())
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("2")  # reads by itself
        await until(pilot, lambda: len(sources) == 2)
        await pilot.press("3")  # so does this one
        await until(pilot, lambda: len(sources) == 3)
        await pilot.press("1", "q")
    async with asyncio.timeout(20):
        while not (desk.closed and all(source.closed for source in sources)):
            await asyncio.sleep(0.01)


async def test_the_help_opens_and_closes() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        assert isinstance(app.screen, KeysScreen)
        for key in ("escape", "question_mark", "question_mark", "question_mark", "q"):
            await pilot.press(key)
        assert isinstance(app.screen, LiveScreen)
        assert app.is_running


async def test_the_help_scrolls_to_its_ends() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark", "G")
        box = app.screen.query_one("VerticalScroll")
        await pilot.pause()
        assert box.scroll_y == box.max_scroll_y > 0
        assert "suspend" in screen_text(app)
        assert "j k scroll, esc closes" in screen_text(app)
        await pilot.press("g")
        await pilot.pause()
        assert box.scroll_y == 0


async def test_the_palette_runs_the_actions_of_the_screen() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    async with app.run_test() as pilot:
        await settle(pilot)
        names = {command.title for command in app.get_system_commands(app.screen)}
        assert {"log y (y)", "freeze (space)", "campaigns screen (1)", "theme"} <= names
        await pilot.press("ctrl+p", *"campaigns", "enter")
        await pilot.pause()
        assert isinstance(app.screen, CampaignsScreen)


async def test_the_palette_opens_every_campaign_by_number_or_name() -> None:
    app = make_app(FakeSource([make_status(12, name="mine"), make_status(1)]), 1)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("3", "ctrl+p", *"campaign 12", "enter")
        await until(pilot, lambda: (app.campaign, app.current_mode) == (12, "live"))
        await pilot.press("3", "ctrl+p", *"lenet", "enter")
        await until(pilot, lambda: (app.campaign, app.current_mode) == (1, "live"))


async def test_the_palette_does_what_another_screen_can_there() -> None:
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("4", "ctrl+p", *"campaigns: filter", "enter")
        await until(pilot, lambda: app.current_mode == "campaigns" and isinstance(app.focused, Input))
        await pilot.press("escape", "4", "ctrl+p", *"new campaign", "enter")
        await until(pilot, lambda: isinstance(app.screen, NewCampaignScreen))


async def test_the_palette_goes_to_a_part_and_says_what_is_missing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dear_tui.screens.elsewhere.PATIENCE_SECONDS", 0.2)
    app = make_app(FakeSource([make_status(1, done=3)], {1: make_curve(3)}), 1)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("1", "ctrl+p", *"live: log y", "enter")
        await until(pilot, lambda: isinstance(app.focused, CampaignChart) and app.focused._view.log)
    app = make_app(FakeSource([]))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p", *"live: log y", "enter")
        await until(
            pilot, lambda: "live: log y: there is nothing" in str([told.message for told in app._notifications])
        )


async def test_the_palette_saves_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for name in ("dear-tui.svg", "dear-tui-2.svg"):
            await pilot.press("ctrl+p", *"screenshot", "enter")
            await until(pilot, (tmp_path / name).exists)
            picture = (tmp_path / name).read_text()
            assert "<svg" in picture
            assert "campaigns" in picture
            assert "screenshot" not in picture, "the palette is gone"


async def test_ctrl_z_does_nothing_where_suspending_is_impossible() -> None:
    app = make_app(FakeSource())
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+z")
        assert app.is_running


class SlowSource(FakeSource):
    """Answers only when allowed to."""

    def __init__(self, campaigns: list[CampaignStatus]) -> None:
        super().__init__(campaigns)
        self.asked, self.allowed = threading.Event(), threading.Event()
        self.readers = 0

    def campaigns(self) -> list[CampaignStatus]:
        self.readers += 1
        self.asked.set()
        self.allowed.wait()
        return super().campaigns()


async def test_a_slow_store_blocks_neither_keys_nor_drawing() -> None:
    source = SlowSource([make_status(1)])
    app = make_app(source)
    async with app.run_test() as pilot:
        await asyncio.to_thread(source.asked.wait)
        assert "Reading the store" in screen_text(app)
        await pilot.press("2")
        assert isinstance(app.screen, LiveScreen)
        await pilot.press("1")
        assert source.readers == 1
        source.allowed.set()
        await settle(pilot)
        assert "lenet5-mnist" in screen_text(app)


async def test_what_changes_in_the_store_appears() -> None:
    source = FakeSource([])
    app = make_app(source)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert "dear-tui demo" in screen_text(app)
        source.statuses = [make_status(1, name="first of all")]
        await until_read(pilot, source)
        assert "first of all" in screen_text(app)


async def test_sixteen_colours_get_the_terminals_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_app(FakeSource()).theme == "textual-dark"
    monkeypatch.setenv("TERM", "screen")
    monkeypatch.delenv("COLORTERM")
    assert make_app(FakeSource()).theme == "ansi-dark"


def test_without_colours_a_piece_without_a_style_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    strip = Strip([Segment("a"), Segment("\x1b", Style(bold=True))])
    for each in line_filters(make_app(FakeSource())):
        strip = strip.apply_filter(each, Color(0, 0, 0))
    assert strip.text == "a"


def test_the_first_frame_waits_for_no_heavy_import() -> None:
    code = "import sys, dear_tui.app; print(*{'torch', 'duckdb', 'pydantic', 'torchvision'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


async def test_a_new_snapshot_does_not_repaint_the_whole_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([make_status(2, done=5, state="running"), make_status(1)], {2: make_curve(5)})
    app = make_app(source)
    async with app.run_test() as pilot:
        await settle(pilot)
        for key in ("1", "2"):
            await pilot.press(key)
            await pilot.pause()
            whole: list[object] = []
            monkeypatch.setattr(app, "refresh", lambda *_regions, whole=whole, **_options: whole.append("app"))
            monkeypatch.setattr(app.screen, "refresh", lambda *_r, whole=whole, **_options: whole.append("screen"))
            source.statuses = [make_status(2, done=6 + int(key), state="running"), make_status(1)]
            await until_read(pilot, source)
            assert whole == []
            monkeypatch.undo()


@pytest.mark.parametrize("campaign", [None, 1], ids=["list", "live"])
async def test_at_the_end_no_reading_thread_waits_for_its_next_time(
    campaign: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program waits for them: whoever leaves would, too."""
    for seconds in ("app.POLL_SECONDS", "screens.campaigns.POLL_SECONDS", "screens.live.DETAILS_SECONDS"):
        monkeypatch.setattr(f"dear_tui.{seconds}", 30.0)
    source = FakeSource([make_status(1, done=3)], {1: make_curve(3)})
    before = set(threading.enumerate())
    async with make_app(source, campaign).run_test() as pilot:
        await settle(pilot)
    async with asyncio.timeout(20):
        while set(threading.enumerate()) - before:
            await asyncio.sleep(0.01)
