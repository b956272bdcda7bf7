"""What must hold on every screen, whichever there are, over a real store with a finished campaign."""

from __future__ import annotations

import asyncio
import shutil
import string
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Static

from dear_tui.app import DearApp
from dear_tui.cli import main
from dear_tui.screens.dialogs.keys import KeysScreen
from dear_tui.screens.registry import SCREENS
from dear_tui.settings.actions import actions_of
from tests.dear_tui.memory_store import FixedMachine, screen_text, settle
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.widget import Widget

    from engine.store import QueueView

MODES = sorted(DearApp.MODES)
KEYS = [
    *string.ascii_letters,
    *string.digits,
    *("question_mark", "slash", "plus", "minus", "comma", "full_stop", "left_square_bracket", "right_square_bracket"),
    *("left_parenthesis", "right_parenthesis", "left_curly_bracket", "right_curly_bracket"),
    *("equals_sign", "dollar_sign", "ctrl+left", "ctrl+right", "ctrl+home", "ctrl+end", "ctrl+enter"),
    *("space", "enter", "escape", "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "delete", "tab"),
    *(f"f{number}" for number in range(1, 13)),
    *(f"ctrl+{letter}" for letter in string.ascii_lowercase),
    *(f"shift+{arrow}" for arrow in ("up", "down", "left", "right", "tab")),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose campaign 1 is finished."""
    folder = tmp_path_factory.mktemp("every-screen")
    assert main(["run", str(write_config(folder)), "--store", str(folder / "store")]) == 0
    return folder / "store"


async def open_mode(pilot: Pilot[str], mode: str) -> None:
    """Switch by the digit, and wait until the screen's own threads have read what they show."""
    await settle(pilot)
    await pilot.press(next(info.key for info in SCREENS if info.name == mode))
    await at_rest(pilot)


async def at_rest(pilot: Pilot[str]) -> None:
    async with asyncio.timeout(60):
        while any(worker.is_running and worker.group not in STANDING for worker in pilot.app.workers):
            await pilot.pause()
    await pilot.pause()


STANDING = ("read_store", "read_queue", "live_details")
"""Threads that go on as long as the app or a screen does."""


def kinds(app: DearApp) -> dict[type[Widget], Widget]:
    """The first focusable widget of every kind."""
    found: dict[type[Widget], Widget] = {}
    for widget in app.screen.focus_chain:
        found.setdefault(type(widget), widget)
    return found


@pytest.mark.parametrize("mode", MODES)
async def test_the_help_lists_exactly_the_keys_that_work(
    mode: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the screen as it opens and for every kind of widget that can be focused on it."""
    app = DearApp(store, 1)
    async with app.run_test(size=(200, 60)) as pilot:
        await open_mode(pilot, mode)
        for widget in dict.fromkeys([app.focused, *kinds(app).values()]):
            app.screen.set_focus(widget)
            await pilot.pause()
            listed = await help_keys(pilot)
            assert listed
            assert await working_keys(pilot, monkeypatch) == listed, widget


HELP_WIDTH = 80 - len("│  " + "  │") - 1
"""of a terminal of 80 columns, beside the scroll bar"""


async def help_keys(pilot: Pilot[str]) -> set[str]:
    """What the first column of the help says: the keys, of lines that are no headings."""
    app = pilot.app
    assert isinstance(app, DearApp)
    app.action_show_keys()
    await pilot.pause()
    assert isinstance(app.screen, KeysScreen)
    names = {action.name for action in actions_of(app.screen_stack[-2])}
    text = app.screen.query_one(Static).content
    assert max(map(len, str(text).splitlines())) <= HELP_WIDTH, "a line of the help is broken in two"
    columns = [line.strip().split("  ") for line in str(text).splitlines()]
    keys = {key for keys, *rest in columns if rest and rest[0].strip() in names for key in keys.split(" ")}
    await pilot.press("escape")
    return keys


async def working_keys(pilot: Pilot[str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Press every key; those that would do something that has an explanation, as they are displayed."""
    app, ran = pilot.app, []

    async def record(action: str, node: Any = None, *_: Any, **__: Any) -> bool:
        if not app._check_action_state(action, node):
            return False
        ran.append((action, node))
        return True

    with monkeypatch.context() as patched:
        patched.setattr(app, "run_action", record)
        working = set()
        for key in KEYS:
            focused = app.focused
            await pilot.press(key)
            for action, node in ran:
                bindings = [binding for _key, binding in node._bindings if binding.action == action]
                if any(binding.tooltip for binding in bindings):
                    bound = next(binding for binding in bindings if binding.key == key)
                    working |= {app.get_key_display(bound)}
            ran.clear()
            if app.focused is not focused:
                app.screen.set_focus(focused)
    return working


@pytest.mark.parametrize("mode", MODES)
async def test_the_palette_has_every_action_with_its_key(mode: str, store: Path) -> None:
    app = DearApp(store, 1)
    async with app.run_test() as pilot:
        await open_mode(pilot, mode)
        commands = {command.title for command in app.get_system_commands(app.screen)}
        assert {f"{action.name} ({action.keys[0]})" for action in actions_of(app.screen)} | {
            "theme",
            "new campaign",
            "save a screenshot",
        } <= commands


@pytest.mark.parametrize("mode", MODES)
async def test_no_name_stands_twice_in_the_palette(mode: str, store: Path) -> None:
    """Wherever the focus is; with the name alone one could not tell them apart."""
    app = DearApp(store, 1)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_mode(pilot, mode)
        if mode == "sql":
            await pilot.press("f5")
            await at_rest(pilot)
        for widget in [None, *kinds(app).values()]:
            app.screen.set_focus(widget)
            await pilot.pause()
            names = [
                command.title.rpartition(" (")[0] or command.title for command in app.get_system_commands(app.screen)
            ]
            assert len(set(names)) == len(names), (widget, sorted(names))


@pytest.mark.parametrize("mode", MODES)
async def test_z_maximises_and_restores(mode: str, store: Path) -> None:
    app = DearApp(store, 1)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_mode(pilot, mode)
        for widget in kinds(app).values():
            if not widget.allow_maximize or widget.check_consume_key("z", "z"):
                continue
            widget.focus()
            await pilot.pause()
            before = widget.size
            await pilot.press("z")
            await pilot.pause()
            assert app.screen.maximized in (widget, *widget.ancestors)
            assert widget.size.height >= before.height
            await pilot.press("z")
            await pilot.pause()
            assert app.screen.maximized is None
            assert widget.size == before


@pytest.mark.parametrize(("before", "after"), [((120, 40), (80, 24)), ((80, 24), (120, 40))])
@pytest.mark.parametrize("mode", MODES)
async def test_a_screen_behind_another_one_takes_the_size_of_the_terminal(
    mode: str, before: tuple[int, int], after: tuple[int, int], store: Path
) -> None:
    """Made smaller or larger while another screen is in front, it looks as if it had been opened like that."""

    async def text(size: tuple[int, int], resize: tuple[int, int] | None) -> str:
        app = DearApp(store, 1, machine=FixedMachine())
        async with app.run_test(size=size) as pilot:
            await open_mode(pilot, mode)
            if resize:
                await pilot.press("5" if mode != "gpu" else "2")
                await at_rest(pilot)
                await pilot.resize_terminal(*resize)
                await open_mode(pilot, mode)
            return await still(pilot)

    assert await text(before, after) == await text(after, None)


async def still(pilot: Pilot[str]) -> str:
    """What stands on the screen once it does not change any more."""
    assert isinstance(pilot.app, DearApp)
    seen = ""
    while seen != (seen := screen_text(pilot.app)) or "Reading" in seen:
        await pilot.pause(0.3)
        await at_rest(pilot)
    return seen


@pytest.fixture
def on_the_loop(store: Path) -> Iterator[Callable[[], list[str]]]:
    """Files of the store that were opened, and databases that were, by the thread of the event loop."""
    loop_thread, touched, watching = threading.main_thread(), [], True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        opens = watching and event in ("open", "sqlite3.connect", "os.listdir", "os.scandir")
        if opens and threading.current_thread() is loop_thread and str(store) in str(arguments[0]):
            touched.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)
    yield lambda: touched
    watching = False


@pytest.mark.parametrize("mode", MODES)
async def test_the_event_loop_never_touches_the_store(
    mode: str, store: Path, on_the_loop: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow disk it would be a frozen key: neither its files nor a call of `Store`, whatever is pressed."""
    monkeypatch.chdir(tmp_path)
    from engine.store import Store
    from engine.store.state.queue import Queue

    calls: list[str] = []

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                calls.append(method.__qualname__)
            return method(*arguments, **options)

        return call

    for owner in (Store, Queue):
        for name, method in vars(owner).items():
            if callable(method) and not name.startswith("_"):
                monkeypatch.setattr(owner, name, watched(method))
    app = DearApp(store, 1)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_mode(pilot, mode)
        for key in ("j", "k", "G", "g", "down", "enter", "escape", "s", "slash", "escape", "v", "e", "escape"):
            await pilot.press(key)
            await at_rest(pilot)
    assert on_the_loop() == []
    assert calls == []


def file(path: Path) -> None:
    path.write_text("")


def circle(path: Path) -> None:
    """A link that leads to itself."""
    path.symlink_to(path)


@pytest.mark.parametrize("put", [file, circle])
async def test_a_store_in_whose_place_something_else_is_ends_no_screen(
    put: Callable[[Path], object], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put back, and is shown again."""
    path, away = tmp_path / "store", tmp_path / "away"
    shutil.copytree(store, path)
    app = DearApp(path, 1, machine=FixedMachine())
    queue, looks = app.desk.queue, list[int]()

    def watched() -> QueueView:
        looks.append(len(looks))
        return queue()

    monkeypatch.setattr(app.desk, "queue", watched)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await open_mode(pilot, "campaigns")
        path.rename(away)
        put(path)
        looks.clear()
        async with asyncio.timeout(60):
            while len(looks) < 2 and app._exception is None:  # the first one has ended by the second
                await pilot.pause(0.05)
        for mode in MODES:
            await open_mode(pilot, mode)
        path.unlink()
        away.rename(path)
        await open_mode(pilot, "campaigns")
        async with asyncio.timeout(60):
            while "#1 small" not in screen_text(app):
                await pilot.pause(0.05)
        assert app.crash == ""
