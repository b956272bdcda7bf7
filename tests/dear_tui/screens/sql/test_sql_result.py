"""The result: its pages, its cells, its plot."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Static

from dear_tui.app import DearApp
from dear_tui.screens.dialogs.value import ValueScreen
from engine.store.sql import sql as engine_sql
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import NARROW, PAIRS, WIDE, ask, title

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from dear_tui.screens.sql import SqlScreen


def shows_another_page(screen: SqlScreen, before: object) -> bool:
    return screen.pane.grid is not before and not screen.runner.is_running


async def test_the_first_page_of_a_larger_result_is_held_and_all_rows_are_counted(
    sql_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 100)
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT range AS n FROM range(250)")
        assert title(pilot).startswith("first 100 of 250 rows, 1 column, ")
        for key, begins in (("]", "rows 101–200 of 250, "), ("]", "rows 201–250 of 250, "),
                            ("[", "rows 101–200 of 250, "), ("[", "first 100 of 250 rows, ")):  # fmt: skip
            before = screen.pane.grid
            await pilot.press({"]": "right_square_bracket", "[": "left_square_bracket"}[key])
            await until(pilot, partial(shows_another_page, screen, before))
            assert title(pilot).startswith(begins)
        await pilot.press("left_square_bracket")
        assert not screen.runner.is_running, "there is nothing before the first page"


async def test_the_vim_keys_move_in_the_grid(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT fault_id, image_id, severity FROM severity")
        grid = screen.pane.grid
        assert grid is not None
        assert grid.has_focus
        for keys, place in (("jj", (2, 0)), ("k", (1, 0)), ("l", (1, 1)), ("h", (1, 0)), ("$", (1, 2)), ("0", (1, 0)),
                            ("G", (PAIRS - 1, 0)), ("g", (0, 0))):  # fmt: skip
            await pilot.press(*("dollar_sign" if key == "$" else key for key in keys))
            assert tuple(grid.cursor_coordinate) == place, keys


async def test_a_cell_is_copied_and_seen_whole(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        await ask(pilot, """SELECT '{"a": [1, 2]}' AS json, NULL AS nothing""")
        await pilot.press("y")
        assert json.loads(app.clipboard) == {"a": [1, 2]}
        await pilot.press("v")
        assert isinstance(app.screen, ValueScreen)
        assert '"a": [' in screen_text(app)
        await pilot.press("escape", "l", "y")
        assert app.clipboard == "NULL"


async def test_null_unicode_and_300_columns(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        await ask(pilot, "SELECT 'größe 漢字' AS \"ünï\", NULL AS nothing")
        assert "größe 漢字" in screen_text(app).replace("\0", "")
        assert "∅" in screen_text(app)
        screen = await ask(pilot, "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(300)))
        assert "300 columns" in title(pilot)
        await pilot.press("dollar_sign")
        assert screen.pane.grid is not None
        assert screen.pane.grid.cursor_column == 299
        await pilot.pause()
        assert "c299" in screen_text(app)


async def test_no_rows_is_a_sentence(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=NARROW) as pilot:
        await ask(pilot, "SELECT * FROM severity WHERE severity > 2")
        assert "No rows" in screen_text(app)
        assert title(pilot).startswith("0 rows, ")
        await ask(pilot, "SELECT nothing FROM nowhere")
        assert title(pilot) == "result"


async def test_the_help_has_each_place_once(sql_store: Path) -> None:
    """Keys of the grid that do what the screen's do stand with the screen's."""
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        await ask(pilot, "SELECT 1 AS one")
        await pilot.press("question_mark")
        lines = str(app.screen.query_one(Static).content).splitlines()
        places = ("result grid", "on this screen", "everywhere")
        assert [line for line in lines if line in places] == list(places)


async def test_p_plots_numbers_as_a_curve_and_as_dots(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT rank, masked, non_critical, critical FROM curve ORDER BY rank")
        for view in ("curve", "dots", "grid"):
            await pilot.press("p")
            assert screen.pane.view == view
            assert ("→ rank" in screen_text(app)) == (view != "grid")
        await ask(pilot, "SELECT layer, bit FROM faults")
        await pilot.press("p")
        assert screen.pane.view == "grid"
