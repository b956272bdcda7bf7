"""The same terminal and the same settings for every test of the screens, and the way to `memory_store`."""

import gc
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.screen import Screen

from dear_tui.cli import main
from dear_tui.terminal.gc_pauses import GarbageBetweenKeys
from tests.conftest import in_one_thread
from tests.dear_tui.real_terminal import DEAR_TUI, Terminal
from tests.small_campaign import write_config


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same terminal everywhere; tests of other terminals change it."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


class NoLooks(GarbageBetweenKeys):
    """Looks for no garbage, and leaves alone what is spared already."""

    def look(self) -> None:
        """Not at all."""

    def end(self) -> None:
        """Python looks as it did before."""
        gc.set_threshold(*self._thresholds)


@pytest.fixture(autouse=True)
def no_looks_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are for a program that has the objects of its screens alone; here those of all tests are looked through."""
    monkeypatch.setattr("dear_tui.app.GarbageBetweenKeys", NoLooks)


ROUNDS = 50
"""How often a screen may begin something new before a test goes on; one that is live never stops."""


@pytest.fixture(autouse=True)
def settled_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each key, what it began is over: no message waits, and what the screen has is laid out and painted.

    A pilot instead takes 20 ms with hardly any work for the end of it, twice for each key: most of a screen's time, and
    not so where another process has the core. What a thread or a timer does later, a test waits for, however long.
    """
    wait_for_messages = Pilot._wait_for_screen

    async def wait_until_settled(pilot: Pilot[Any], timeout: float = 30.0) -> bool:
        for _ in range(ROUNDS):
            if not await wait_for_messages(pilot, timeout):
                return False
            if not (screens := pilot.app._screen_stack):
                return True
            screens[-1]._on_timer_update()
            if not is_unsettled(screens[-1]):
                return True
        return True

    monkeypatch.setattr(Pilot, "_wait_for_screen", wait_until_settled)
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.004)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.0005)


def is_unsettled(screen: Screen[Any]) -> bool:
    """Say whether a message waits, or a change that is not painted yet."""
    pumps = (screen.app, *screen.walk_children(with_self=True))
    is_painted = not (screen._layout_required or screen._repaint_required or screen._recompose_required)
    is_painted = is_painted and not screen._dirty_widgets and not screen._callbacks
    return not is_painted or any(pump._message_queue.qsize() or pump._next_callbacks for pump in pumps)


parse_rules, parsed = Stylesheet._parse_rules, dict[tuple[Any, ...], list[RuleSet]]()


@pytest.fixture(autouse=True)
def style_sheets_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every app reads the same ones, and twice at its start; what they become is not changed by who uses it."""

    def remembered(self: Stylesheet, *source: Any, **of: Any) -> list[RuleSet]:
        key = (*source, *of.items(), frozenset(self._variables.items()))
        if key not in parsed:
            parsed[key] = parse_rules(self, *source, **of)
        return parsed[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", remembered)


@pytest.fixture(autouse=True)
def own_memory_limit() -> Iterator[None]:
    """The SQL screen limits the process it is in, which is every test's here."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    yield
    resource.setrlimit(resource.RLIMIT_DATA, before)


@pytest.fixture
def few_colours(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the terminal one of `16-colours`, of none (`NO_COLOR`), or both, as its name has it."""

    def make(terminal: str) -> None:
        if "NO_COLOR" in terminal:
            monkeypatch.setenv("NO_COLOR", "1")
        if "16-colours" in terminal:
            monkeypatch.setenv("TERM", "screen")
            monkeypatch.delenv("COLORTERM")

    return make


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the settings nor the log of whoever runs the tests."""
    monkeypatch.delenv("DEAR_CONFIG", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Opens terminals, and closes them."""
    opened: list[Terminal] = []

    def opens(*arguments: object, command: list[str] = DEAR_TUI, **environment: str) -> Terminal:
        opened.append(Terminal([*command, *map(str, arguments)], **environment))
        return opened[-1]

    yield opens
    for one in opened:
        one.program.close(force=True)


@pytest.fixture(scope="session")
def finished_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose campaign 1 is finished; not to be written to."""
    folder = tmp_path_factory.mktemp("finished")
    with in_one_thread():
        assert main(["run", str(write_config(folder)), "--store", str(folder / "store")]) == 0
    return folder / "store"
