"""The tabs can be clicked, and a question is never covered by notices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets._toast import Toast

from dear_tui.screens.dialogs.confirm import ConfirmScreen
from dear_tui.screens.dialogs.dialog import Palette
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.dialogs.value import ValueScreen
from dear_tui.screens.registry import SCREENS
from dear_tui.screens.sql import SqlScreen
from dear_tui.terminal.textual_private import shown_notices
from dear_tui.widgets.common.top_bar import TopBar
from tests.dear_tui.memory_desk import FakeDesk
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, screen_text, settle, until, until_shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen


@pytest.mark.parametrize("name", [info.name for info in SCREENS])
async def test_a_click_on_a_tab_goes_to_its_screen(name: str) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        bar = app.screen.query_one(TopBar)
        column = next(start for tab, start in bar.placed_tabs() if tab.name == name)
        await pilot.click(bar, offset=(column + 3, 0))
        await pilot.pause()
        assert app.current_mode == name
        await pilot.click(app.screen.query_one(TopBar), offset=(2, 0))
        assert app.current_mode == name, "a click beside them does nothing"


async def test_notices_do_not_cover_the_keys_that_answer_a_question() -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        for number in range(5):
            app.notify(f"campaign 2 is number {number} in the queue", timeout=60)
        async with asyncio.timeout(20):
            while "number 4" not in screen_text(app):
                await pilot.pause(0.01)
        app.push_screen(ConfirmScreen("Delete campaign 2 with its results?", "This cannot be undone."))
        await pilot.pause()
        app.notify("one more", timeout=60)
        await pilot.pause()
        text = screen_text(app)
        assert "y yes   n no" in text
        assert "This cannot be undone." in text
        await pilot.press("n")
        await pilot.pause()
        async with asyncio.timeout(20):
            while "one more" not in screen_text(app):
                await pilot.pause(0.01)


@pytest.mark.parametrize(
    "dialog", [lambda: Prompt("name", "mine", "of the query"), Palette, lambda: ValueScreen("x", "1")]
)
async def test_no_dialog_is_covered_by_notices(dialog: Callable[[], Screen[Any]]) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        app.notify("before", timeout=60)
        await until_shown(pilot, "before")
        app.push_screen(dialog())
        await pilot.pause()
        app.notify("meanwhile", timeout=60)
        await until(pilot, lambda: len(app.screen.query(Toast)) == 2)
        assert not any(toast.display for toast in app.screen.query(Toast))
        await pilot.press("escape")
        await until_shown(pilot, "before", "meanwhile")


async def test_what_a_row_shows_is_not_told_again() -> None:
    desk = FakeDesk()
    app = make_app(FakeSource([make_status(2, state="queued"), make_status(1, state="queued")]), desk=desk)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await until(pilot, lambda: desk.orders)
        desk.refusal = "campaign 2 was deleted meanwhile"
        await pilot.press("p")
        await until(pilot, lambda: shown_notices(app))
        assert [notice.message for notice in shown_notices(app)] == ["campaign 2 was deleted meanwhile"]


async def test_names_that_cannot_be_read_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def learn(screen: SqlScreen, desk: object) -> None:
        asked.append(desk)
        screen.call_later(screen.say_names_problem, "the store cannot be queried")

    monkeypatch.setattr(SqlScreen, "_learn", learn)
    source = FakeSource([make_status(1)])
    app = make_app(source)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("4")
        await pilot.pause()
        for done in range(1, 6):
            source.statuses[0] = make_status(1, done=done)
            async with asyncio.timeout(20):
                while app.snapshot.campaigns != tuple(source.statuses):
                    await pilot.pause(0.01)
        assert len(asked) <= 2, "once as it opens, once for these campaigns"
        source.statuses.insert(0, make_status(2))
        async with asyncio.timeout(20):
            while len(asked) < 3:
                await pilot.pause(0.01)
