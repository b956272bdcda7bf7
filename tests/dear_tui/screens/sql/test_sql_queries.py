"""Ready questions, saved queries and those of the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from dear_tui.app import DearApp
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.dialogs.query_list import QueryList
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import WIDE, ask, open_sql, works

if TYPE_CHECKING:
    from pathlib import Path


async def test_ready_questions_are_about_the_chosen_campaign(sql_store: Path) -> None:
    app = DearApp(sql_store, campaign=1)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, QueryList))
        assert "questions about campaign 1" in screen_text(app)
        await pilot.press("slash", *"layers", "enter")
        await until(pilot, lambda: screen.pane.grid and not screen.runner.is_running)
        assert "WHERE campaign = 1" in screen.editor.text.text
        assert "conv1" in screen_text(app)


async def test_a_query_is_saved_listed_edited_and_deleted(sql_store: Path, home: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        screen.editor.text.show_query("SELECT 5 AS five")
        await pilot.press("w")
        assert isinstance(app.screen, Prompt)
        await pilot.press(*"a/b", "enter")
        await until(pilot, lambda: isinstance(app.screen, Prompt) and "leave out slashes" in screen_text(app))
        app.screen.query_one(Input).value = "mine ü"
        await pilot.press("enter")
        path = home / "XDG_CONFIG_HOME" / "dear-tui" / "queries" / "mine ü.sql"
        await until(pilot, path.exists)
        assert path.read_text(encoding="utf-8") == "SELECT 5 AS five\n"
        screen.editor.text.show_query("SELECT 6 AS six")
        await pilot.press("w", *"mine ü", "enter")
        await until(pilot, lambda: "enter replaces it" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: path.read_text(encoding="utf-8") == "SELECT 6 AS six\n")
        screen.editor.text.show_query("")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, QueryList))
        await pilot.press("i")
        assert screen.editor.text.text == "SELECT 6 AS six"
        await pilot.press("escape", "o")
        await until(pilot, lambda: isinstance(app.screen, QueryList))
        await pilot.press("d")
        await until(pilot, lambda: not path.exists())


async def test_the_history_has_what_was_run_the_newest_first(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        await open_sql(pilot)
        await pilot.press("f8")
        await until(pilot, lambda: "No query has been run yet" in screen_text(app))
        await pilot.press("escape")
        for number in (1, 2, 1):
            await ask(pilot, f"SELECT {number} AS n")
        await until(pilot, lambda: not works(app, "book"))
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, QueryList))
        lines = [line for line in screen_text(app).splitlines() if " AS n" in line]
        assert "SELECT 1" in lines[0]
        assert "SELECT 2" in lines[1]


async def test_a_long_query_of_the_past_is_one_line(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sql(pilot)
        await ask(pilot, "SELECT " + ", ".join(f"{number} AS column_{number}" for number in range(99)))
        await ask(pilot, "SELECT 1 AS n")
        await until(pilot, lambda: not works(app, "book"))
        await pilot.press("H", "j")
        await until(pilot, lambda: isinstance(app.screen, QueryList))
        lines = [line for line in screen_text(app).splitlines() if "SELECT" in line]
        assert "SELECT 1 AS n" in lines[0]
        assert "…" in lines[1]
        assert "column_2" in lines[1]
