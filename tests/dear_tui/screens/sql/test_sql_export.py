"""A result as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from textual.widgets import Input

from dear_tui.app import DearApp
from dear_tui.widgets.sql.export_line import ExportLine
from engine.store.sql import sql as engine_sql
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import PAIRS, WIDE, ask, words

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
async def test_all_rows_are_exported_not_only_the_page(
    sql_store: Path, home: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 10)
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT * FROM severity")
        await pilot.press("e")
        app.screen.query_one(Input).value = f"all.{ending}"
        await pilot.press("enter")
        target = home / f"all.{ending}"
        await until(pilot, lambda: target.exists() and screen.query_one(ExportLine).export is None)
        assert duckdb.execute(f"SELECT count(*) FROM '{target}'").fetchall() == [(PAIRS,)]
        target.write_text("mine", encoding="utf-8")
        await pilot.press("e")
        app.screen.query_one(Input).value = f"all.{ending}"
        await pilot.press("enter")
        await until(pilot, lambda: "enter again writes over it" in screen_text(app))
        assert target.read_text(encoding="utf-8") == "mine"
        await pilot.press("enter")
        await until(pilot, lambda: target.read_bytes() != b"mine")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
async def test_rows_are_exported_in_the_order_that_is_shown(sql_store: Path, home: Path, ending: str) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT range AS n FROM range(9); -- all")
        await pilot.press("s", "s")
        await until(pilot, lambda: not screen.runner.is_running and screen.runner.order is not None)
        await pilot.press("e")
        app.screen.query_one(Input).value = f"sorted.{ending}"
        await pilot.press("enter")
        await until(pilot, lambda: (home / f"sorted.{ending}").exists())
        rows = duckdb.execute(f"SELECT n FROM '{home}/sorted.{ending}'").fetchall()
        assert rows == [(n,) for n in range(8, -1, -1)]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("all.txt", "end the name with .csv, .json or .parquet"), ("nowhere/all.csv", "there is no folder nowhere"),
     ("{store}/all.csv", "lies in the store")],
)  # fmt: skip
async def test_a_bad_file_is_said_in_the_prompt(sql_store: Path, typed: str, problem: str) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        await ask(pilot, "SELECT 1")
        await pilot.press("e")
        app.screen.query_one(Input).value = typed.format(store=sql_store)
        await pilot.press("enter")
        await until(pilot, lambda: problem in words(app))


async def test_an_export_is_cancelled_and_leaves_no_file(sql_store: Path, home: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT range FROM range(1000000000)")
        line = screen.query_one(ExportLine)
        await pilot.press("e")
        app.screen.query_one(Input).value = "endless.csv"
        await pilot.press("enter")
        await until(pilot, lambda: line.export is not None and (line.export.rows or 0) > 0)
        assert "writing" in screen_text(app)
        await pilot.press("f6")
        await until(pilot, lambda: line.export is None)
        assert [path.name for path in home.iterdir() if "endless" in path.name] == []
