"""The SQL screen over a real store, each of its keys."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING

import duckdb
import pytest
from memory_store import FakeSource, screen_text, settle
from sql_store import ENDLESS, PAIRS, ask, make_store, open_sql, screen_of, until
from textual import events
from textual.widgets import Input

from dear_tui.app import DearApp
from dear_tui.query.desk import Desk
from dear_tui.screens.prompt import Prompt
from dear_tui.screens.query_list import QueryList
from dear_tui.screens.value import ValueScreen
from dear_tui.widgets.completion_list import CompletionList
from dear_tui.widgets.export_line import ExportLine
from dear_tui.widgets.schema_tree import SchemaTree
from engine.store import sql as engine_sql

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App

WIDE, NARROW = (120, 40), (80, 24)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("sql") / "store")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Saved and past queries of this test alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def title(pilot: object) -> str:
    return str(screen_of(pilot).pane.border_title)  # type: ignore[arg-type]


def works(app: App[str], group: str) -> bool:
    """Whether a thread of this kind is at work."""
    return any(worker.group == group and worker.is_running for worker in app.workers)


def words(app: DearApp) -> str:
    """What stands on the screen, without frames and line breaks."""
    return " ".join(screen_text(app).replace("│", " ").split())


async def test_f5_runs_the_query_that_stands_there_at_first(store: Path) -> None:
    async with DearApp(store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: screen.pane.grid)
        await until(pilot, lambda: not screen.is_busy)
        assert title(pilot).startswith("1 row, 8 columns, ")
        assert "small" in screen_text(pilot.app)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["r", "ctrl+enter"])
async def test_other_keys_run_it_too(store: Path, key: str) -> None:
    async with DearApp(store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press(key)
        await until(pilot, lambda: screen.pane.grid)


@pytest.mark.parametrize("key", ["i", "enter"])
async def test_letters_are_text_in_the_editor_and_keys_outside_it(store: Path, key: str) -> None:
    async with DearApp(store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryList))
        await pilot.press("escape")
        await pilot.press(key, "4", "o")
        assert screen.editor.text.text.endswith("DESC4o")
        await pilot.press("escape", "1")
        assert pilot.app.screen is not screen


async def test_open_sql_shows_and_runs_a_query_from_another_screen_and_twice_the_same(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for _ in range(2):
            screen = await ask(pilot, "SELECT 41 + 1 AS answer")
            assert screen.editor.text.text == "SELECT 41 + 1 AS answer"
            assert "42" in screen_text(app)
            await pilot.press("1")


async def test_the_first_page_of_a_larger_result_is_held_and_all_rows_are_counted(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 100)
    async with DearApp(store).run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT range AS n FROM range(250)")
        assert title(pilot).startswith("first 100 of 250 rows, 1 column, ")
        for key, begins in (("]", "rows 101–200 of 250, "), ("]", "rows 201–250 of 250, "),
                            ("[", "rows 101–200 of 250, "), ("[", "first 100 of 250 rows, ")):  # fmt: skip
            before = screen.pane.grid
            await pilot.press({"]": "right_square_bracket", "[": "left_square_bracket"}[key])
            await until(pilot, lambda before=before: screen.pane.grid is not before and not screen.is_busy)
            assert title(pilot).startswith(begins)
        await pilot.press("left_square_bracket")
        assert not screen.is_busy, "there is nothing before the first page"


async def test_the_vim_keys_move_in_the_grid(store: Path) -> None:
    async with DearApp(store).run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT fault_id, image_id, severity FROM severity")
        grid = screen.pane.grid
        assert grid is not None
        assert grid.has_focus
        for keys, place in (("jj", (2, 0)), ("k", (1, 0)), ("l", (1, 1)), ("h", (1, 0)), ("$", (1, 2)), ("0", (1, 0)),
                            ("G", (PAIRS - 1, 0)), ("g", (0, 0))):  # fmt: skip
            await pilot.press(*("dollar_sign" if key == "$" else key for key in keys))
            assert tuple(grid.cursor_coordinate) == place, keys


async def test_a_cell_is_copied_and_seen_whole(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        await ask(pilot, """SELECT '{"a": [1, 2]}' AS json, NULL AS nothing""")
        await pilot.press("y")
        assert json.loads(app.clipboard) == {"a": [1, 2]}
        await pilot.press("v")
        assert isinstance(app.screen, ValueScreen)
        assert '"a": [' in screen_text(app)
        await pilot.press("escape", "l", "y")
        assert app.clipboard == "NULL"


async def test_null_unicode_and_300_columns(store: Path) -> None:
    app = DearApp(store)
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


async def test_no_rows_is_a_sentence(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=NARROW) as pilot:
        await ask(pilot, "SELECT * FROM severity WHERE severity > 2")
        assert "No rows" in screen_text(app)


async def test_an_error_says_what_and_where_and_the_cursor_goes_there(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT bit\nFROM faults\nWHERE nowhere = 1")
        text = words(app)
        assert 'Referenced column "nowhere" not found' in text
        assert "LINE 3: WHERE nowhere = 1" in text
        assert screen.editor.text.cursor_location == (2, 6)
        await ask(pilot, "DROP VIEW severity")
        assert "only SELECT is allowed here, not DROP" in screen_text(app)
        await ask(pilot, "SELECT 1 AS again")
        assert "again" in screen_text(app)


async def test_an_endless_query_shows_its_time_and_is_cancelled_from_the_editor_too(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        for place in ("outside", "editor"):
            app.open_sql(ENDLESS)
            await until(pilot, lambda: screen.is_busy and title(pilot).startswith("running, "))
            assert "stops after 10 min or at half the memory" in str(screen.pane.border_subtitle)
            await pilot.press(*(["i"] if place == "editor" else []), "f6")
            await until(pilot, lambda: not screen.is_busy)
            assert "Cancelled after" in screen_text(app)
            await pilot.press("escape")


async def test_a_newer_query_stops_the_older_one_and_only_its_rows_are_shown(store: Path) -> None:
    async with DearApp(store).run_test(size=WIDE) as pilot:
        pilot.app.open_sql(ENDLESS)  # type: ignore[attr-defined]
        await pilot.pause()
        await ask(pilot, "SELECT 7 AS newer")
        await until(pilot, lambda: not works(pilot.app, "query"))
        assert title(pilot).startswith("1 row, 1 column, ")


async def test_counting_can_be_cancelled_and_the_rows_stay(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 10)
    async with DearApp(store).run_test(size=WIDE) as pilot:
        pilot.app.open_sql("SELECT hash(a.range + b.range) AS h FROM range(10000000) a, range(10000000) b WHERE h > 0")  # type: ignore[attr-defined]
        await pilot.pause()
        screen = screen_of(pilot)
        await until(pilot, lambda: "counting all rows" in title(pilot))
        await pilot.press("f6")
        await until(pilot, lambda: not screen.is_busy)
        assert title(pilot).startswith("first 10 rows, 1 column, ")
        assert screen.pane.grid is not None


async def test_leaving_the_app_stops_a_running_query(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        app.open_sql(ENDLESS)
        await pilot.pause()
        await until(pilot, lambda: title(pilot).startswith("running, "))
        (worker,) = (worker for worker in app.workers if worker.group == "query")
        await pilot.press("q")
    async with asyncio.timeout(30):
        while worker.is_running:
            await asyncio.sleep(0)


async def test_p_plots_numbers_as_a_curve_and_as_dots(store: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT rank, masked, non_critical, critical FROM curve ORDER BY rank")
        for view in ("curve", "dots", "grid"):
            await pilot.press("p")
            assert screen.pane.view == view
            assert ("→ rank" in screen_text(app)) == (view != "grid")
        await ask(pilot, "SELECT layer, bit FROM faults")
        await pilot.press("p")
        assert screen.pane.view == "grid"


async def test_completion_offers_accepts_and_closes(store: Path) -> None:
    async with DearApp(store).run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        editor, listing = screen.editor, screen.query_one(CompletionList)
        editor.text.show_query("SELECT ")
        await pilot.press("i", *"gold")
        assert listing.display
        await pilot.press("down", "tab")
        assert editor.text.text == "SELECT golden_class"
        assert not listing.display
        await pilot.press("space", *"fro", "escape")
        assert not listing.display
        assert editor.text.has_focus, "the first esc closes the list alone"
        await pilot.press("m", "space", *"fault_s", "enter", "enter")
        assert editor.text.text == "SELECT golden_class from fault_summary\n"
        await pilot.press("tab", "x")
        assert editor.text.text.endswith("\n    x")


async def test_a_megabyte_is_pasted_folded_and_run(store: Path) -> None:
    sql = "SELECT count(*) AS n FROM range(10) WHERE range IN (" + ", ".join(["1"] * 350_000) + ")"
    assert len(sql) > 1_000_000
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        screen.editor.text.show_query("")
        await pilot.press("i")
        app.post_message(events.Paste(sql))
        await pilot.pause()
        assert screen.editor.text.text == "/* 1,050 kB, folded, no. 1 */"
        assert screen.editor.text.query_text == sql


async def test_the_views_are_shown_where_there_is_room_and_on_a_key_and_write_names(store: Path) -> None:
    async with DearApp(store).run_test(size=NARROW) as pilot:
        screen = await open_sql(pilot)
        tree = screen.query_one(SchemaTree)
        assert not tree.display or not tree.region
        screen.editor.text.show_query("SELECT * FROM")
        await pilot.press("t", "j", "enter")
        assert tree.has_focus
        assert screen.editor.text.text == "SELECT * FROM faults"
        await pilot.press("l", "j", "j", "enter", "h", "G", "enter")
        assert screen.editor.text.text == "SELECT * FROM faults fault_id curve"
        await pilot.press("t")
        assert not tree.region
    async with DearApp(store).run_test(size=WIDE) as pilot:
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


async def test_ready_questions_are_about_the_chosen_campaign(store: Path) -> None:
    app = DearApp(store, campaign=1)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, QueryList))
        assert "questions about campaign 1" in screen_text(app)
        await pilot.press("slash", *"layers", "enter", "enter")
        await until(pilot, lambda: screen.pane.grid and not screen.is_busy)
        assert "WHERE campaign = 1" in screen.editor.text.text
        assert "conv1" in screen_text(app)


async def test_a_query_is_saved_listed_edited_and_deleted(store: Path, home: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_sql(pilot)
        screen.editor.text.show_query("SELECT 5 AS five")
        await pilot.press("w")
        assert isinstance(app.screen, Prompt)
        await pilot.press(*"a/b", "enter")
        await until(pilot, lambda: isinstance(app.screen, Prompt) and "leave out slashes" in screen_text(app))
        app.screen.query_one(Input).value = "mine ü"
        await pilot.press("enter")
        path = home / "config" / "dear-tui" / "queries" / "mine ü.sql"
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


async def test_the_history_has_what_was_run_the_newest_first(store: Path) -> None:
    app = DearApp(store)
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


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
async def test_all_rows_are_exported_not_only_the_page(
    store: Path, home: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(engine_sql, "PAGE_ROWS", 10)
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT * FROM severity")
        await pilot.press("e")
        app.screen.query_one(Input).value = f"all.{ending}"
        await pilot.press("enter")
        target = home / f"all.{ending}"
        await until(pilot, lambda: target.exists() and screen.query_one(ExportLine).export is None)
        assert duckdb.sql(f"SELECT count(*) FROM '{target}'").fetchall() == [(PAIRS,)]
        target.write_text("mine", encoding="utf-8")
        await pilot.press("e")
        app.screen.query_one(Input).value = f"all.{ending}"
        await pilot.press("enter")
        await until(pilot, lambda: "enter again writes over it" in screen_text(app))
        assert target.read_text(encoding="utf-8") == "mine"
        await pilot.press("enter")
        await until(pilot, lambda: target.read_bytes() != b"mine")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("all.txt", "end the name with .csv, .json or .parquet"), ("nowhere/all.csv", "there is no folder nowhere"),
     ("{store}/all.csv", "lies in the store")],
)  # fmt: skip
async def test_a_bad_file_is_said_in_the_prompt(store: Path, typed: str, problem: str) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        await ask(pilot, "SELECT 1")
        await pilot.press("e")
        app.screen.query_one(Input).value = typed.format(store=store)
        await pilot.press("enter")
        await until(pilot, lambda: problem in words(app))


async def test_an_export_is_cancelled_and_leaves_no_file(store: Path, home: Path) -> None:
    app = DearApp(store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, "SELECT range FROM range(1000000000)")
        line = screen.query_one(ExportLine)
        await pilot.press("e")
        app.screen.query_one(Input).value = "endless.csv"
        await pilot.press("enter")
        await until(pilot, lambda: line.export is not None and line.export.rows > 0)
        assert "writing" in screen_text(app)
        await pilot.press("f6")
        await until(pilot, lambda: line.export is None)
        assert [path.name for path in home.iterdir() if "endless" in path.name] == []


async def test_a_store_that_is_not_there_is_said_and_found_when_it_comes(tmp_path: Path) -> None:
    app = DearApp(tmp_path / "later")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "there is no store here" in words(app))
        await pilot.press("f5")
        await until(pilot, lambda: not screen_of(pilot).is_busy)
        make_store(tmp_path / "later")
        await until(pilot, lambda: screen_of(pilot).is_ready)
        await ask(pilot, "SELECT count(*) AS pairs FROM severity")
        assert "180" in screen_text(app)


class SlowDesk(Desk):
    """Opens only when allowed to."""

    asked, allowed = threading.Event(), threading.Event()

    def names(self) -> object:  # type: ignore[override]
        self.asked.set()
        self.allowed.wait()
        return super().names()


async def test_a_slow_store_blocks_no_key(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dear_tui.screens.sql.Desk", SlowDesk)
    app = DearApp(store, open_source=lambda _path: FakeSource())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await asyncio.to_thread(SlowDesk.asked.wait)
        await pilot.press("i", "x")
        assert screen_of(pilot).editor.text.text.endswith("DESCx")
        SlowDesk.allowed.set()
        await until(pilot, lambda: screen_of(pilot).is_ready)
