"""Every private name of Textual that is used does what it is used for."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from textual.app import App, ComposeResult, ScreenStackError
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.css.stylesheet import Stylesheet
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, Paste
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Label, OptionList

import dear_tui
from dear_tui.terminal.textual_private import (
    BRACKETED_PASTE_END,
    BRACKETED_PASTE_START,
    AppWithoutTracebacks,
    XTermParser,
    bindings_of,
    line_filters,
    logs_input,
    shown_notices,
    take_notice_away,
    take_styles_as_they_are,
    turns_no_page,
    uncaught_error,
    write_to_terminal,
)

if TYPE_CHECKING:
    from textual.color import Color

reparse = Stylesheet.reparse
OF_PYTHON = {"_asdict", "_replace", "_fields", "_exit"}


class Breaks(AppWithoutTracebacks[str]):
    panicked = False

    def on_mount(self) -> None:
        raise ZeroDivisionError("of the test")

    def panic(self, *renderables: object) -> None:
        self.panicked = not renderables
        super().panic()


async def test_an_uncaught_error_ends_in_panic_without_a_traceback() -> None:
    app = Breaks()
    with pytest.raises(ZeroDivisionError):
        async with app.run_test():
            pass
    assert app.panicked
    assert isinstance(uncaught_error(app), ZeroDivisionError)


class Busy(Widget):
    """Asks, while it goes, for another widget that is gone, or fails in another way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def on_unmount(self) -> None:
        self.app._handle_exception(self.error)


async def test_what_is_asked_of_a_widget_that_went_with_the_app_is_no_error() -> None:
    for error in (NoMatches("gone"), ScreenStackError("none")):
        async with AppWithoutTracebacks[None]().run_test() as pilot:
            await pilot.app.mount(Busy(error))
    with pytest.raises(ValueError, match="on the way out"):
        async with AppWithoutTracebacks[None]().run_test() as pilot:
            await pilot.app.mount(Busy(ValueError("on the way out")))


async def test_the_filters_of_lines_can_be_changed() -> None:
    app: App[str] = App()
    async with app.run_test():
        filters = line_filters(app)
        filters.append(object())  # type: ignore[arg-type]
        assert line_filters(app) is filters
        filters.pop()
        assert all(isinstance(one, LineFilter) for one in filters)


async def test_a_sequence_goes_to_the_driver_and_without_one_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    app: App[str] = App()
    write_to_terminal(app, "nowhere")
    monkeypatch.setattr(HeadlessDriver, "write", lambda _driver, data: written.append(data))
    async with app.run_test():
        write_to_terminal(app, "\x1b]9;done\x07")
    assert [data for data in written if "9;" in data] == ["\x1b]9;done\x07"]


async def test_a_driver_tells_whether_input_is_logged() -> None:
    app: App[str] = App()
    assert logs_input(HeadlessDriver(app, debug=True)) is True
    assert logs_input(HeadlessDriver(app)) is False


async def test_a_notice_that_is_shown_can_be_taken_away() -> None:
    app: App[None] = App()
    async with app.run_test(notifications=True) as pilot:
        for text in ("one", "two"):
            app.notify(text)
        await pilot.pause()
        one, two = shown_notices(app)
        assert (one.message, two.message) == ("one", "two")
        take_notice_away(app, one)
        assert shown_notices(app) == [two]


class Quick(Screen[None]):
    """One of several screens, with a widget that no screen before it has."""

    DEFAULT_CSS = "Quick Label { color: $primary; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        take_styles_as_they_are(self)

    def compose(self) -> ComposeResult:
        yield Label("x")


async def test_a_new_screen_has_the_styles_of_the_theme_without_all_of_them_being_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Modes(App[None]):
        MODES: ClassVar = {"one": Quick, "other": Quick, "third": Quick}
        DEFAULT_MODE = "one"

    def shown() -> tuple[Color, Color]:
        label = app.screen.query_one(Label)
        return label.styles.color, label.styles.background

    def parse_all(sheet: Stylesheet) -> None:
        parsed.append(sheet)
        reparse(sheet)

    app = Modes()
    parsed: list[Stylesheet] = []
    async with app.run_test() as pilot:
        monkeypatch.setattr(Stylesheet, "reparse", parse_all)
        first = shown()
        await app.switch_mode("other")
        await pilot.pause()
        assert (shown(), parsed) == (first, [])
        app.theme = "textual-light"
        await pilot.pause()
        second, times = shown(), len(parsed)
        assert second != first
        await app.switch_mode("third")
        await pilot.pause()
        assert (shown(), len(parsed)) == (second, times)
        await app.switch_mode("one")
        await pilot.pause()
        assert shown() == second


async def test_a_page_is_turned_once_a_list_is_laid_out() -> None:
    class Lists(App[None]):
        CSS = "OptionList { display: none; }"

        def compose(self) -> ComposeResult:
            yield OptionList("one", "two")

    app = Lists()
    async with app.run_test() as pilot:
        options = app.query_one(OptionList)
        options.highlighted = 0
        assert turns_no_page(options, "page_up")
        assert not turns_no_page(options, "first")
        assert not turns_no_page(None, "page_up")
        options.display = True
        await pilot.pause()
        assert not turns_no_page(options, "page_up")


def test_the_bindings_of_a_class_include_those_it_inherits() -> None:
    class Base(Widget):
        BINDINGS: ClassVar = [Binding("a", "one", "one")]

    class Derived(Base):
        BINDINGS: ClassVar = [Binding("b", "two", "two")]

    assert [key for key, _ in bindings_of(Derived)] == ["a", "b"]


def test_the_parser_gives_keys_and_knows_the_marks_of_a_paste() -> None:
    events = list(XTermParser().feed(f"a{BRACKETED_PASTE_START}b{BRACKETED_PASTE_END}"))
    [key, paste] = [event for event in events if isinstance(event, (Key, Paste))]
    assert isinstance(key, Key)
    assert isinstance(paste, Paste)
    assert (key.key, paste.text) == ("a", "b")


def test_no_other_module_uses_what_is_private_to_another_package() -> None:
    """Of an object's private names, only those that the program's own classes define."""
    folder = Path(dear_tui.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    own = set(re.findall(r"(?:def |class |self\.|^\s+)(_\w+)(?:\(|:| =|,)", "\n".join(sources.values()), re.MULTILINE))
    strange = {
        f"{path.relative_to(folder)}: {node.attr}"
        for path, source in sources.items()
        if path.name != "textual_private.py"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and re.fullmatch(r"_[a-z]\w*", node.attr)
        if node.attr not in own | OF_PYTHON
    }
    assert strange == set()
    imported = {
        path.name for path, source in sources.items() if re.search(r"^from textual\S*\._", source, re.MULTILINE)
    }
    assert imported == {"textual_private.py"}


@pytest.mark.parametrize("name", ["_must_signal_resume", "_key_thread", "_sigtstp_application", "_sigcont_application"])
async def test_the_driver_has_what_stopping_rests_on(name: str) -> None:
    """What `StoppableDriver` makes of them, `test_real_life.py` sees in a real terminal."""
    driver = LinuxDriver(App[None](), size=(80, 24))
    assert hasattr(driver, name)
