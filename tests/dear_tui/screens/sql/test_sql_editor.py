"""Writing a query: letters, completions, a large paste, names of the views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from dear_tui.app import DearApp
from dear_tui.screens.dialogs.query_list import QueryList
from dear_tui.widgets.sql.completion_list import CompletionList
from dear_tui.widgets.sql.schema_tree import SchemaTree
from tests.dear_tui.memory_store import until
from tests.dear_tui.sql_store import NARROW, WIDE, open_sql

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("key", ["i", "enter"])
async def test_letters_are_text_in_the_editor_and_keys_outside_it(sql_store: Path, key: str) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryList))
        await pilot.press("escape")
        await pilot.press(key, "4", "o")
        assert screen.editor.text.text.endswith("DESC4o")
        await pilot.press("escape", "1")
        assert pilot.app.screen is not screen


async def test_c_makes_room_for_another_query_and_undo_brings_the_last_one_back(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        before = screen.editor.text.text
        await pilot.press("c", *"SELECT 1")
        assert screen.editor.text.text == "SELECT 1"
        await pilot.press("ctrl+a", "delete")
        assert screen.editor.text.text == ""
        for _ in range(3):
            await pilot.press("ctrl+z")
        assert screen.editor.text.text == before


async def test_every_keyword_of_a_query_has_a_colour(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        text = screen.editor.text
        text.show_query("SELECT n FROM t ORDER BY n DESC NULLS LAST")
        await until(pilot, lambda: text.language)
        await pilot.pause()
        line = text.render_line(0)
        select, desc, last = (
            next(segment.style for segment in line if segment.text.strip() == word)
            for word in ("SELECT", "DESC", "LAST")
        )
        assert select is not None
        assert select.bold
        assert (desc, last) == (select, select)


async def test_completion_offers_accepts_and_closes(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        editor, listing = screen.editor, screen.query_one(CompletionList)
        editor.text.show_query("SELECT ")
        await pilot.press("i", *"gold")
        assert listing.display
        await pilot.press("down", "tab")
        assert editor.text.text == "SELECT golden_class"
        assert not listing.display
        await pilot.press("space", *"fro")
        assert listing.display
        await pilot.press("escape", "j")
        assert not listing.display
        assert not editor.text.has_focus, "esc leaves at once, so that the next letter is a key"
        await pilot.press("i", "m", "space", *"fault_s", "enter", "enter")
        assert editor.text.text == "SELECT golden_class from fault_summary\n"
        await pilot.press("tab", "x")
        assert editor.text.text.endswith("\n    x")


async def test_a_megabyte_is_pasted_folded_and_run(sql_store: Path) -> None:
    sql = "SELECT count(*) AS n FROM range(10) WHERE range IN (" + ", ".join(["1"] * 350_000) + ")"
    assert len(sql) > 1_000_000
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        screen.editor.text.show_query("")
        await pilot.press("i")
        app.post_message(events.Paste(sql))
        await pilot.pause()
        assert screen.editor.text.text == "/* 1,050 kB, folded, no. 1 */"
        assert screen.editor.text.query_text == sql


async def test_the_views_are_shown_where_there_is_room_and_on_a_key_and_write_names(sql_store: Path) -> None:
    async with DearApp(sql_store).run_test(size=NARROW) as pilot:
        screen = await open_sql(pilot)
        tree = screen.query_one(SchemaTree)
        assert not tree.display or not tree.region
        screen.editor.text.show_query("SELECT * FROM")
        await pilot.press("t", "j", "enter")
        assert tree.has_focus
        assert screen.editor.text.text == "SELECT * FROM faults"
        await pilot.press("l", "j", "j", "enter", "h", "G", "enter")
        assert screen.editor.text.text == "SELECT * FROM faults fault_id curve"
        await pilot.press("g", "space")
        assert tree.cursor_line == 0
        assert tree.root.children[0].is_expanded
        await pilot.press("j", "j", "k", "space", "k")
        assert tree.cursor_line == 0
        assert tree.root.children[0].is_expanded, "space on a column opens and closes nothing"
        await pilot.press("space")
        assert not tree.root.children[0].is_expanded
        await pilot.press("t")
        assert not tree.region
        await pilot.press("t")
        screen.editor.text.focus()
        await pilot.press("escape", "t")
        assert tree.has_focus, "from elsewhere the key goes to the views, which are there"
        assert tree.region
    async with DearApp(sql_store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await until(pilot, lambda: screen.query_one(SchemaTree).region)
        screen.run_query("SELECT 1")
        await until(pilot, lambda: screen.pane.grid is not None and screen.pane.grid.has_focus)
        await pilot.press("z")
        assert screen.maximized is screen.pane
        assert screen.pane.size.height > WIDE[1] - 6
        await pilot.press("z")
        assert screen.maximized is None
        assert screen.editor.region
