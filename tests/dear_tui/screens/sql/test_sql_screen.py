"""The SQL screen over a real store: how it begins, runs, fails, and is asked by others."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from dear_tui.app import DearApp
from dear_tui.query.runs import LateSession
from tests.dear_tui.memory_store import FakeSource, screen_text, settle, until
from tests.dear_tui.sql_store import WIDE, ask, knows_names, make_store, open_sql, screen_of, title, words

if TYPE_CHECKING:
    from pathlib import Path


async def test_f5_runs_the_query_that_stands_there_at_first(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        assert screen.editor.text.text.endswith("FROM campaigns ORDER BY campaign DESC")
        for sentence in ("f5 runs the query, o lists ready questions, i goes into the editor.",
                         "It can change nothing; it stops after 10 min or at half the memory."):  # fmt: skip
            assert sentence in screen_text(pilot.app)  # type: ignore[arg-type]
        await pilot.press("f5")
        await until(pilot, lambda: screen.pane.grid)
        await until(pilot, lambda: not screen.runner.is_running)
        assert title(pilot).startswith("1 row, 8 columns, ")
        assert "small" in screen_text(pilot.app)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["r", "ctrl+enter"])
async def test_other_keys_run_it_too(sql_store: Path, key: str) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press(key)
        await until(pilot, lambda: screen.pane.grid)


async def test_open_sql_shows_and_runs_a_query_from_another_screen_and_twice_the_same(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for _ in range(2):
            screen = await ask(pilot, "SELECT 41 + 1 AS answer")
            assert screen.editor.text.text == "SELECT 41 + 1 AS answer"
            assert "42" in screen_text(app)
            await pilot.press("1")


async def test_an_error_says_what_and_where_and_the_cursor_goes_there(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT bit\nFROM faults\nWHERE nowhere = 1")
        text = words(app)
        assert "there is no column nowhere" in text
        assert "LINE 3: WHERE nowhere = 1" in text
        assert screen.editor.text.cursor_location == (2, 6)
        await ask(pilot, "DROP VIEW severity")
        assert "only SELECT is allowed here, not DROP" in screen_text(app)
        await ask(pilot, "SELECT 1 AS again")
        assert "again" in screen_text(app)


async def test_a_store_that_is_not_there_is_said_and_found_when_it_comes(tmp_path: Path) -> None:
    app = DearApp(tmp_path / "later")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "there is no store here" in words(app) and "n makes a campaign here." in words(app))
        await pilot.press("f5")
        await until(pilot, lambda: not screen_of(pilot).runner.is_running)
        make_store(tmp_path / "later")
        await until(pilot, lambda: knows_names(screen_of(pilot)))
        await ask(pilot, "SELECT count(*) AS pairs FROM severity")
        assert "180" in screen_text(app)


class SlowSession(LateSession):
    """Opens only when allowed to."""

    asked, allowed = threading.Event(), threading.Event()

    def names(self) -> object:  # type: ignore[override]
        self.asked.set()
        self.allowed.wait()
        return super().names()


async def test_a_slow_store_blocks_no_key(sql_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dear_tui.screens.query_tabs.LateSession", SlowSession)
    app = DearApp(sql_store, open_source=lambda _path: FakeSource())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await asyncio.to_thread(SlowSession.asked.wait)
        await pilot.press("i", "x")
        assert screen_of(pilot).editor.text.text.endswith("DESCx")
        SlowSession.allowed.set()
        await until(pilot, lambda: knows_names(screen_of(pilot)))
