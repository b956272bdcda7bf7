"""Pictures of the SQL screen in its states, wide in colours and narrow without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.app import DearApp
from dear_tui.query import runs
from tests.dear_tui.memory_store import until
from tests.dear_tui.pictures import pictures
from tests.dear_tui.sql_store import WIDE, ask, open_sql, title
from tests.endless_queries import ENDLESS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROWS = "SELECT layer, bit, golden_value, faulty_value, bit > 29 AS high, NULL AS nothing FROM faults ORDER BY fault_id"
QUERIES = {
    "result": ROWS,
    "error": "SELECT layer, bits\nFROM faults",
}


@pytest.fixture(autouse=True)
def clock_that_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture shows how long a query took."""
    monkeypatch.setattr(runs, "monotonic", lambda: 0.0)


@pytest.fixture
def app(sql_store: Path, monkeypatch: pytest.MonkeyPatch) -> DearApp:
    """Over the store, whose folder has the same name everywhere."""
    monkeypatch.chdir(sql_store.parent)
    app = DearApp(Path(sql_store.name))
    app.animation_level = "none"
    return app


def show(sql: str) -> Callable[[Any], Awaitable[None]]:
    async def run(pilot: Any) -> None:
        await open_sql(pilot)
        await ask(pilot, sql)

    return run


async def running(pilot: Any) -> None:
    await open_sql(pilot)
    pilot.app.open_sql(ENDLESS)
    await until(pilot, lambda: title(pilot).startswith("running, "))


async def plotted(pilot: Any) -> None:
    await open_sql(pilot)
    await ask(pilot, "SELECT rank, masked, non_critical, critical FROM curve ORDER BY rank")
    await pilot.press("p")


def test_picture_of_a_plot(app: DearApp, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app, terminal_size=WIDE, run_before=plotted)


@pictures("name key", "questions o 120x40", "export e 80x24")
def test_picture_of_a_dialog(
    name: str, key: str, size: tuple[int, int], app: DearApp, snap_compare: Callable[..., bool]
) -> None:
    async def opened(pilot: Any) -> None:
        await open_sql(pilot)
        await ask(pilot, ROWS)
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen.is_modal)
        if name == "export":
            field = pilot.app.screen.query_one("Input")
            field.cursor_blink, field.value = False, "/home/ada/result.csv"
            await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=opened)


@pictures("query", "result 120x40", "error 80x24")
def test_picture_of_an_answer(
    query: str, size: tuple[int, int], app: DearApp, snap_compare: Callable[..., bool]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=show(QUERIES[query]))


@pictures("query terminal", "result NO_COLOR 80x24", "running 16-colours 120x40")
def test_picture_without_true_colour(
    query: str,
    terminal: str,
    size: tuple[int, int],
    request: pytest.FixtureRequest,
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    few_colours(terminal)  # before there is an app, which asks at once
    run_before = running if query == "running" else show(QUERIES[query])
    assert snap_compare(request.getfixturevalue("app"), terminal_size=size, run_before=run_before)
