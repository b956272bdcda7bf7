"""Every dialog there is: keys and clicks that come in one read, and sizes that no terminal should have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from textual import events
from textual.content import Content
from textual.keys import REPLACED_KEYS
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static

from dear_tui.charts.result_data import PlotChoice
from dear_tui.screens.dialogs.confirm import ConfirmScreen
from dear_tui.screens.dialogs.dialog import Dialog, Palette
from dear_tui.screens.dialogs.jump import JumpScreen, jump_targets
from dear_tui.screens.dialogs.keys import KeysScreen
from dear_tui.screens.dialogs.plot_columns import PlotColumns
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.dialogs.query_list import Entry, QueryList
from dear_tui.screens.dialogs.save_config import SaveConfigScreen
from dear_tui.screens.dialogs.themes import ThemePalette
from dear_tui.screens.dialogs.value import ValueScreen
from dear_tui.screens.new_campaign import NewCampaignScreen
from dear_tui.settings.actions import actions_of
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from dear_tui.app import DearApp

ENTRIES = [Entry(f"SELECT {number}", f"question {number}", is_saved=True) for number in range(3)]

DIALOGS: dict[type[Screen[Any]], Callable[[DearApp], Screen[Any]]] = {
    ConfirmScreen: lambda _app: ConfirmScreen("Delete it?", "This cannot be undone."),
    JumpScreen: lambda app: JumpScreen(jump_targets(app.screen)),
    KeysScreen: lambda app: KeysScreen(actions_of(app.screen)),
    NewCampaignScreen: lambda _app: NewCampaignScreen(),
    Palette: lambda _app: Palette(),
    PlotColumns: lambda _app: PlotColumns(pa.table({"a": [1], "b": [2.0]}), PlotChoice(0, (1,))),
    Prompt: lambda _app: Prompt("save as", "mine", "A name."),
    QueryList: lambda _app: QueryList("questions", ENTRIES, "none"),
    SaveConfigScreen: lambda _app: SaveConfigScreen(Path("/nowhere"), "file.toml", lambda _path: None),
    ThemePalette: lambda app: ThemePalette(app.screen, sorted(app.available_themes), app._kept_theme),
    ValueScreen: lambda _app: ValueScreen("config", "text\n" * 100),
}
"""How each is made; the form is no dialog, but leaves as they do."""

TYPED = ["a", "s", "1", "2", "y", "d", "enter", "escape", "space", "question_mark"]
"""not q, of which the second one ends the program, and may"""
MOVES = ["up", "down", "home", "end", "pageup", "pagedown", "left", "right", "tab", "shift+tab"]
SIZES = [(1, 1), (2, 1), (20, 5), (500, 200)]


def all_dialogs() -> set[type[Screen[Any]]]:
    """Every class of this program that lies over another screen."""
    found: set[type[Screen[Any]]] = set()
    waiting: list[type[Screen[Any]]] = [ModalScreen]
    while waiting:
        waiting += (below := waiting.pop().__subclasses__())
        found |= {one for one in below if one.__module__.startswith("dear_tui.")}
    return found


def test_no_dialog_is_left_out() -> None:
    assert (all_dialogs() - {Dialog}) | {NewCampaignScreen} == set(DIALOGS)


def in_one_read(app: DearApp, *keys: str) -> None:
    """What the driver does with keys that came together: all are sent before the first is looked at."""
    for key in keys:
        character = key if len(key) == 1 else {"space": " ", "question_mark": "?", "slash": "/"}.get(key)
        app.post_message(events.Key(REPLACED_KEYS.get(key, key), character))


def press_mouse(app: DearApp, column: int, row: int, times: int) -> None:
    """Clicks that came together."""
    for _ in range(times):
        for kind in (events.MouseDown, events.MouseUp):
            app.post_message(kind(None, column, row, 0, 0, 1, False, False, False, column, row))


async def opened(pilot: Pilot[str], dialog: type[Screen[Any]]) -> list[object]:
    """A dialog over the list of campaigns; returns where its answers come to stand."""
    app: DearApp = pilot.app  # type: ignore[assignment]
    answers: list[object] = []
    await settle(pilot)
    app.push_screen(DIALOGS[dialog](app), answers.append)
    await pilot.pause()
    assert type(app.screen) is dialog
    return answers


async def reopened(pilot: Pilot[str], dialog: type[Screen[Any]], answers: list[object]) -> list[object]:
    """The dialog in front again, after what some keys did: another one where it has gone."""
    await pilot.pause()
    await pilot.pause()
    pilot.app.switch_mode("campaigns")
    await pilot.pause()
    while len(pilot.app.screen_stack) > 1 and type(pilot.app.screen) is not dialog:
        if isinstance(pilot.app.screen, Palette):
            pilot.app.screen._action_escape()  # which ends its search, too
        else:
            pilot.app.pop_screen()
        await pilot.pause()
    return answers if type(pilot.app.screen) is dialog else await opened(pilot, dialog)


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_keys_and_clicks_that_come_in_one_read_answer_once(dialog: type[Screen[Any]]) -> None:
    bound = {key for one in dialog.BINDINGS for key in getattr(one, "key", "").split(",")} - {"", "q"}
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        answers = await opened(pilot, dialog)
        for key in [*TYPED, *sorted(bound - set(TYPED))]:
            in_one_read(app, key, key, key)
            last, answers = answers, await reopened(pilot, dialog, answers)
            assert len(last) <= 1, key
        for row in (0, 5, 11):
            press_mouse(app, 40, row, 3)
            last, answers = answers, await reopened(pilot, dialog, answers)
            assert len(last) <= 1, row
        assert app.is_running


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_q_that_comes_twice_breaks_nothing(dialog: type[Screen[Any]]) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, dialog)
        in_one_read(app, "q", "q")
        await pilot.pause()
    assert not app.crash


async def test_what_a_covered_dialog_is_told_to_do_waits_until_it_is_in_front() -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        answers = await opened(pilot, Prompt)
        below = app.screen
        app.push_screen(ConfirmScreen("Sure?", ""))
        await pilot.pause()
        below.dismiss("done")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert answers == []
        await pilot.press("n")
        await pilot.pause()
        assert answers == ["done"]
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("key", ["x", "d", "question_mark", "f", "ctrl+p"])
async def test_a_key_that_opens_a_dialog_opens_one_however_often_it_comes(key: str) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        in_one_read(app, *[key] * 3)
        await pilot.pause()
        await pilot.pause()
        assert app.is_running
        assert len(app.screen_stack) <= 2


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_a_dialog_lives_in_any_size(dialog: type[Screen[Any]]) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, dialog)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.press("tab", "down")
        assert app.is_running


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_a_megabyte_that_is_pasted_into_a_dialog_is_borne(dialog: type[Screen[Any]]) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, dialog)
        for field in list(app.screen.query(Input))[:3]:
            app.screen.set_focus(field)
            app.post_message(events.Paste("x\x1b[2J [red]" * 100_000))
            await pilot.pause()
            await pilot.press("a", "backspace")
        assert app.is_running


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_a_cursor_is_moved_before_and_after_all_is_laid_out(
    dialog: type[Screen[Any]], size: tuple[int, int]
) -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=size) as pilot:
        await opened(pilot, dialog)
        for _ in range(3):
            in_one_read(app, *MOVES, "a", *MOVES)
            await pilot.pause()
    assert app.crash == ""


async def test_a_filter_that_shortens_a_list_while_its_cursor_moves_breaks_nothing() -> None:
    app = make_app(FakeSource([make_status(1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, QueryList)
        listing = app.screen.query_one(OptionList)
        late = OptionList.OptionHighlighted(listing, listing.options[2], 2)
        await pilot.press("slash", "0")
        app.screen.post_message(late)
        await pilot.pause()
        assert listing.option_count == 1
        assert app.screen.query_one("#sql", Static).content == Content("SELECT 0")
    assert app.crash == ""
