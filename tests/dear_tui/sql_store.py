"""A small store of made-up outcomes for the SQL screen, and ways to wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.app import DearApp
from dear_tui.screens.sql import SqlScreen
from dear_tui.widgets.sql.schema_tree import SchemaTree
from tests.dear_tui.memory_store import screen_text, until
from tests.engine.store.stored_campaigns import filled_store

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App
    from textual.pilot import Pilot

WIDE, NARROW = (120, 40), (80, 24)
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


def knows_names(screen: SqlScreen) -> bool:
    """Whether the views and columns that a query may name have been read."""
    return bool(screen.query_one(SchemaTree).root.children)


async def open_sql(pilot: Pilot[str]) -> SqlScreen:
    """Go to the SQL screen and wait until it knows the store."""
    await pilot.press("4")
    screen = screen_of(pilot)
    await until(pilot, lambda: knows_names(screen))
    return screen


async def ask(pilot: Pilot[str], sql: str) -> SqlScreen:
    """Run a query to its end."""
    app = pilot.app
    assert isinstance(app, DearApp)
    app.open_sql(sql)
    await pilot.pause()
    screen = screen_of(pilot)
    await until(pilot, lambda: not screen.runner.is_running and screen.runner.run and screen.runner.run.sql == sql)
    return screen


def title(pilot: Pilot[str]) -> str:
    """What stands above the result."""
    return str(screen_of(pilot).pane.border_title)


def works(app: App[str], group: str) -> bool:
    """Whether a thread of this kind is at work."""
    return any(worker.group == group and worker.is_running for worker in app.workers)


def words(app: DearApp) -> str:
    """What stands on the screen, without frames and line breaks."""
    return " ".join(screen_text(app).replace("│", " ").split())


def notices(app: DearApp) -> str:
    """What passes by, a line each; on the screen a long one is broken."""
    return "\n".join(told.message for told in app._notifications)
