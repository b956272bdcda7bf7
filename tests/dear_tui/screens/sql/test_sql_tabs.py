"""Several results, each with its query: how they come, how one goes from one to another, and how they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.app import DearApp
from dear_tui.screens.query_tabs import MOST
from dear_tui.widgets.sql.result_tabs import ResultTabs
from engine.store.sql.sql import Statement
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import NARROW, WIDE, ask, open_sql, screen_of, title, works
from tests.endless_queries import ENDLESS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def query(number: int) -> str:
    return f"SELECT {number} AS n{number}"


def line_of_tabs(app: DearApp) -> str:
    return str(app.screen.query_one(ResultTabs).render())


async def test_a_result_stays_beside_the_next_one_with_its_query(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, query(1))
        tabs = screen.query_one(ResultTabs)
        assert not tabs.display
        for number in (2, 3):
            await ask(pilot, query(number))
        assert tabs.display
        assert line_of_tabs(app).split() == [word for n in (1, 2, 3) for word in (str(n), *query(n).split())]
        for key, number in (("<", 2), ("<", 1), ("<", 3), (">", 1), (">", 2)):
            await pilot.press({"<": "less_than_sign", ">": "greater_than_sign"}[key])
            assert f"n{number}" in screen_text(app)
            assert screen.editor.text.text == query(number)
            assert title(pilot).startswith("1 row, 1 column, ")
            assert screen.pane.grid is not None
            assert screen.pane.grid.has_focus
            assert screen.pane.grid.names == [f"n{number}"]
        await pilot.click(ResultTabs, offset=(3, 0))
        assert screen.pane.grid.names == ["n1"]


async def test_what_was_written_meanwhile_stays_in_the_editor(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await ask(pilot, query(1))
        await ask(pilot, query(2))
        await pilot.press("i", *" -- mine", "escape", "less_than_sign")
        assert screen.editor.text.text == query(2) + " -- mine"


async def test_the_same_query_again_and_one_after_an_error_take_no_other_tab(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await ask(pilot, query(1))
        await ask(pilot, query(2))
        await ask(pilot, query(1))
        assert screen.tabs.count == 2
        for sql in ("SELECT nothing", "SELECT 3 AS n3 WHERE false", query(3)):
            await ask(pilot, sql)
            assert screen.tabs.count == 3


async def test_closing_and_pushing_out_free_the_rows(sql_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Statement] = []
    close = Statement.close

    def watched(statement: Statement) -> None:
        closed.append(statement)
        close(statement)

    monkeypatch.setattr(Statement, "close", watched)
    app = DearApp(sql_store)
    async with app.run_test(size=NARROW) as pilot:
        screen = await ask(pilot, query(1))
        for number in range(2, MOST + 2):
            await ask(pilot, query(number))
        assert screen.tabs.count == MOST
        assert len(closed) == 1, "the oldest one"
        assert "n1" not in line_of_tabs(app)
        for left in range(MOST - 1, 0, -1):
            await pilot.press("x")
            assert screen.tabs.count == left
            assert len(closed) == 1 + MOST - left
            assert screen.pane.grid is not None
            assert screen.pane.grid.has_focus
        assert not screen.query_one(ResultTabs).display
        await pilot.press("x")
        assert screen.tabs.count == 1, "the last one stays"
        assert sum(pane.grid is not None for pane in screen.tabs.panes) == 1


async def test_a_query_that_runs_keeps_nobody_from_another_result(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, query(1))
        app.open_sql(ENDLESS)
        await until(pilot, lambda: title(pilot).startswith("running, "))
        await pilot.press("less_than_sign")
        assert title(pilot).startswith("1 row, 1 column, ")
        assert not screen.runner.is_running
        assert "2 …SELECT" in line_of_tabs(app)
        await ask(pilot, query(3))
        assert screen.tabs.count == 3
        assert works(app, "query"), "the endless one"
        await pilot.press("less_than_sign", "f6")
        await until(pilot, lambda: not works(app, "query"))
        await until(pilot, lambda: "Cancelled after" in screen_text(app))
        assert "…" not in line_of_tabs(app)
        app.open_sql(ENDLESS)
        await until(pilot, lambda: title(pilot).startswith("running, "))
        await pilot.press("x")
        await until(pilot, lambda: not works(app, "query"))
        assert screen.tabs.count == 2


async def test_the_pane_stays_maximised_from_result_to_result(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        await open_sql(pilot)
        await ask(pilot, query(1))
        screen = await ask(pilot, query(2))
        await pilot.press("z", "less_than_sign")
        assert screen.maximized is screen.pane
        assert screen_of(pilot).pane.grid is not None
        assert "n1" in screen_text(pilot.app)  # type: ignore[arg-type]
