"""The result: its pages, its cells, its plot."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from dear_tui.app import DearApp
from dear_tui.screens.dialogs.value import ValueScreen
from engine.store.sql import pages
from engine.store.sql import sql as engine_sql
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import NARROW, PAIRS, WIDE, ask, notices, title

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from dear_tui.screens.sql import SqlScreen


HELP_WIDTH = 73


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
        for key in ("v", "enter"):
            await pilot.press(key)
            assert isinstance(app.screen, ValueScreen)
            assert '"a": [' in screen_text(app)
            await pilot.press("escape")
        await pilot.press("l", "y")
        assert app.clipboard == "NULL"


async def test_two_clicks_open_a_value_and_i_goes_into_the_editor(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT 'one' AS a, 'two' AS b")
        await pilot.click(screen.pane.grid, offset=(8, 1), times=2)
        assert isinstance(app.screen, ValueScreen)
        assert "two" in screen_text(app)
        await pilot.press("escape", "i")
        assert screen.editor.text.has_focus


ODD = "SELECT 0.1::FLOAT AS f, NULL AS nothing, E'a\\tb' AS tab, [1, 2] AS list, true AS yes, 'x' AS f"
ODD_TEXT = 'f\tnothing\ttab\tlist\tyes\tf\n0.1\t\t"a\tb"\t[1, 2]\ttrue\tx\n'


async def test_a_row_and_the_table_are_copied_as_spreadsheets_take_them(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ask(pilot, f"{ODD} UNION ALL SELECT 2, 3, 'c', [], false, 'y'")
        await pilot.press("Y")
        assert app.clipboard == ODD_TEXT
        await until(pilot, lambda: "copied row 1, tab-separated, with the names" in notices(app))
        await pilot.press("C")
        await until(pilot, lambda: app.clipboard == ODD_TEXT + "2\t3\tc\t[]\tfalse\ty\n")
        await until(pilot, lambda: "copied 2 rows, tab-separated, with the names" in notices(app))
        await pilot.press("j", "l", "y")
        await until(pilot, lambda: "copied nothing of row 2" in notices(app))
        assert screen.pane.grid is not None


async def test_a_table_that_is_too_large_to_copy_is_refused_in_a_sentence(
    sql_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ask(pilot, "SELECT repeat('x', 600_000) AS a FROM range(2)")
        await pilot.press("C")
        await until(pilot, lambda: "too much to copy, a terminal takes 1 MB; e writes it to a file" in notices(app))
        monkeypatch.setattr(engine_sql, "PAGE_ROWS", 100)
        await ask(pilot, "SELECT range AS n FROM range(250)")
        await pilot.press("C")
        await until(pilot, lambda: "more than 100 rows, too many to copy; e writes them" in notices(app))
        assert app.clipboard == ""


def cells(screen: SqlScreen, column: str) -> list[object]:
    """What the page has in a column."""
    assert screen.pane.grid is not None
    values: list[object] = screen.pane.grid.page.rows.column(column).to_pylist()
    return values


async def test_all_rows_are_sorted_by_a_key_and_by_a_click_on_the_head(
    sql_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 100)
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT range AS n, range * 7 % 250 AS m FROM range(250)")
        steps = (("m ↑", range(100)), ("m ↓", range(249, 149, -1)), ("", [n * 7 % 250 for n in range(100)]))
        await pilot.press("l")
        for by_click in (False, True):
            for sign, expected in steps:
                if by_click:
                    await pilot.click(screen.pane.grid, offset=(8, 0))
                else:
                    await pilot.press("s")
                await until(pilot, lambda expected=expected: cells(screen, "m") == list(expected))  # type: ignore[misc]
                await until(pilot, lambda: not screen.runner.is_running)
                assert ("by" in title(pilot)) == bool(sign)
                assert sign in title(pilot)
                assert title(pilot).startswith("first 100 of 250 rows, 2 columns, ")
                grid = screen.pane.grid
                assert grid is not None
                assert grid.has_focus
                assert (grid.cursor_column, sign in screen_text(app)) == (1, True), "the column keeps the cursor"
        await pilot.press("s")
        await until(pilot, lambda: cells(screen, "m")[0] == 0 and not screen.runner.is_running)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: cells(screen, "m") == list(range(100, 200)))
        assert title(pilot).startswith("rows 101–200 of 250, ")


async def test_the_next_order_does_not_wait_for_the_last_one(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ask(pilot, "SELECT range AS n FROM range(99)")
        for keys, first in (("ss", 98), ("ss", 0), ("s", 98), ("sss", 98)):
            await pilot.press(*keys)
            await until(pilot, lambda: not screen.runner.is_running)
            await until(pilot, lambda first=first: cells(screen, "n")[0] == first)  # type: ignore[misc]
        assert notices(app) == ""


async def test_rows_that_are_not_all_kept_are_not_sorted_and_stay(
    sql_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 100)
    monkeypatch.setattr(pages, "KEPT_BYTES", 3000)
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ask(pilot, "SELECT hash(range) AS h FROM range(5000)")
        await pilot.press("s")
        await until(pilot, lambda: "so they are not sorted here; write ORDER BY into the query" in notices(app))
        await until(pilot, lambda: not screen.runner.is_running)
        assert "by h" not in title(pilot)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: title(pilot).startswith("rows 101–200 of more than"))


async def test_a_text_is_sought_in_the_rows(sql_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 100)
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        sql = "SELECT range AS n, if(range % 40 = 7, 'Xöx ' || range, NULL) AS t, [range] AS l FROM range(150)"
        screen = await ask(pilot, sql)

        async def seek(text: str, said: str) -> None:
            await pilot.press("slash")
            app.screen.query_one(Input).value = text
            await pilot.press("enter")
            await until(pilot, lambda: str(screen.pane.border_subtitle) == said)

        def place() -> tuple[int, ...]:
            assert screen.pane.grid is not None
            return tuple(screen.pane.grid.cursor_coordinate)

        await seek("xÖX", "3 cells match xÖX on this page, n and N go there")
        assert place() == (7, 1), "the cursor is on the first one"
        for key, found in (("n", 47), ("n", 87), ("n", 7), ("N", 87), ("N", 47)):
            await pilot.press(key)
            assert place() == (found, 1)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: str(screen.pane.border_subtitle).startswith("1 cell matches xÖX on this page"))
        await seek("[127]", "1 cell matches [127] on this page, n and N go there")
        assert place() == (27, 2)
        await seek("nowhere", "no cell matches nowhere on this page")
        await pilot.press("n")
        assert place() == (27, 2)
        await seek("", "")


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
        assert max(map(len, lines)) <= HELP_WIDTH, "a line of the help is broken in two at 80 columns"
        places = ("result grid", "on this screen", "everywhere")
        assert [line for line in lines if line in places] == list(places)
