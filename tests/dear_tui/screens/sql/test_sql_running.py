"""Queries that take long: their time, how they are stopped, and what stays."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from dear_tui.app import DearApp
from engine.store.sql import sql as engine_sql
from engine.store.sql.sql import Statement
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import WIDE, ask, open_sql, screen_of, title, works
from tests.endless_queries import ENDLESS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_an_endless_query_shows_its_time_and_is_cancelled_from_the_editor_too(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        for place in ("outside", "editor"):
            app.open_sql(ENDLESS)
            await until(pilot, lambda: screen.runner.is_running and title(pilot).startswith("running, "))
            assert "stops after 10 min or at half the memory" in str(screen.pane.border_subtitle)
            await pilot.press(*(["i"] if place == "editor" else []), "f6")
            await until(pilot, lambda: not screen.runner.is_running)
            assert "Cancelled after" in screen_text(app)
            await pilot.press("escape")


async def test_a_newer_query_stops_the_older_one_and_only_its_rows_are_shown(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        pilot.app.open_sql(ENDLESS)  # type: ignore[attr-defined]
        await pilot.pause()
        await ask(pilot, "SELECT 7 AS newer")
        await until(pilot, lambda: not works(pilot.app, "query"))
        assert title(pilot).startswith("1 row, 1 column, ")


async def test_a_query_that_does_not_heed_says_so_and_keeps_nobody_from_the_next(
    sql_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt, is_heeded = Statement.interrupt, threading.Event()
    page, is_begun = Statement.page, threading.Event()
    monkeypatch.setattr(Statement, "interrupt", lambda one: is_heeded.is_set() and interrupt(one))

    def begun(*some: Any) -> Any:
        is_begun.set()
        return page(*some)

    monkeypatch.setattr(Statement, "page", begun)
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        app.open_sql(ENDLESS)
        await until(pilot, lambda: is_begun.is_set() and title(pilot).startswith("running, "))
        await pilot.press("f6")
        await until(pilot, lambda: title(pilot).startswith("to be cancelled after the value it is at, "))
        assert str(screen.pane.border_subtitle) == "f5 runs another meanwhile"
        app.open_sql("SELECT 7 AS newer")
        await until(pilot, lambda: title(pilot).startswith("1 row, 1 column, "))
        assert works(app, "query"), "the older one"
        is_heeded.set()
        await until(pilot, lambda: not works(app, "query"))


async def test_counting_can_be_cancelled_and_the_rows_stay(sql_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 10)
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        pilot.app.open_sql("SELECT hash(a.range + b.range) AS h FROM range(10000000) a, range(10000000) b WHERE h > 0")  # type: ignore[attr-defined]
        await pilot.pause()
        screen = screen_of(pilot)
        await until(pilot, lambda: "counting all rows" in title(pilot))
        await pilot.press("f6")
        await until(pilot, lambda: not screen.runner.is_running)
        assert title(pilot).startswith("first 10 rows, 1 column, ")
        assert screen.pane.grid is not None


async def test_leaving_the_app_stops_a_running_query(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        app.open_sql(ENDLESS)
        await pilot.pause()
        await until(pilot, lambda: title(pilot).startswith("running, "))
        (worker,) = (worker for worker in app.workers if worker.group == "query")
        await pilot.press("q")
    async with asyncio.timeout(30):
        while worker.is_running:
            await asyncio.sleep(0)
