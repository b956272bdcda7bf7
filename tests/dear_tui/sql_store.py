"""A small store of made-up outcomes for the SQL screen, and ways to wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dear_tui.app import DearApp
from dear_tui.screens.sql import SqlScreen
from tests.engine.store.stored_campaigns import filled_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
PAIRS = 180
"""rows of `severity`"""


def make_store(path: Path) -> Path:
    """One campaign, all of whose pairs are there."""
    store, _campaign, _truth = filled_store(path)
    store.close()
    return path


def screen_of(pilot: Pilot[str]) -> SqlScreen:
    """The SQL screen, also where a dialog is over it."""
    app = pilot.app
    assert isinstance(app, DearApp)
    return next(screen for screen in app.screen_stack if isinstance(screen, SqlScreen))


async def until(pilot: Pilot[str], done: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(30):
        while not done():
            await pilot.pause()
    await pilot.pause()


async def open_sql(pilot: Pilot[str]) -> SqlScreen:
    """Go to the SQL screen and wait until it knows the store."""
    await pilot.press("4")
    screen = screen_of(pilot)
    await until(pilot, lambda: screen.is_ready)
    return screen


async def ask(pilot: Pilot[str], sql: str) -> SqlScreen:
    """Run a query to its end."""
    app = pilot.app
    assert isinstance(app, DearApp)
    app.open_sql(sql)
    await pilot.pause()
    screen = screen_of(pilot)
    await until(pilot, lambda: not screen.is_busy and screen.has_run(sql))
    return screen
