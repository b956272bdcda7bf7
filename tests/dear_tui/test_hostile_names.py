"""Names that steer a terminal, or look like markup: shown as they are, by every command and on every screen."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.widgets import Input

import dear_tui.cli
from dear_tui.app import MOST_PASTED, DearApp
from dear_tui.cli import main
from engine.printable import IN_TEXT, printable, printable_line
from tests.dear_tui.memory_store import screen_text, settle
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

NAME = "a\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[red]b[/][@click=app.quit]c[/]"
SHOWN = "a\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202e[red]b[/][@click=app.quit]c[/]"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in a folder of such a name, whose campaign 1 has it, too."""
    folder = tmp_path_factory.mktemp("hostile") / "f\x1b[2J[red]"
    folder.mkdir()
    config = write_config(folder, name=NAME)
    assert main(["run", str(config), "--store", str(folder / "store")]) == 0
    return folder


def test_what_steers_becomes_its_escape() -> None:
    assert printable(NAME) == SHOWN
    assert printable("two\nlines\tand ü 漢 é") == "two\nlines\tand ü 漢 é"
    assert printable_line("two\nlines\t") == "two\\nlines\\t"
    assert IN_TEXT.search(printable("".join(map(chr, range(0x2100))))) is None


COMMANDS = """
list
list --json
show 1
show 1 --json
run {config}
run {missing}
run {broken}
submit {config}
submit {missing}
estimate {config}
estimate {missing}
check {missing}
check {broken}
bench {missing}
sql {name}
sql --format table {query}
sql --format json {query}
sql --output {missing}/x {query}
sql {wrong}
export 1 --format csv --output {output}
export 1 --output {missing}/x
export {name}
verify
verify 1
pause 1
resume 1
cancel 1
retry 1
move 1 1
delete 1
worker status
doctor
keys
train {name} mnist
{name}
--{name}
"""
NO_STORE = ("estimate", "check", "keys", "train", "bench", "{name}", "--{name}")


@pytest.mark.parametrize("command", COMMANDS.strip().splitlines())
def test_no_command_lets_a_name_steer_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (folder / "broken.toml").write_text(f'name = "x"\n[model]\narch = {json.dumps(NAME)}\n{json.dumps(NAME)} = 1\n')
    words = {
        "config": str(folder / "small.toml"),
        "missing": str(folder / NAME),
        "broken": str(folder / "broken.toml"),
        "output": str(folder / "out"),
        "name": NAME,
        "query": 'SELECT name, name AS "x\x1b[2J" FROM campaigns',
        "wrong": 'SELECT "q\x1b[2J" FROM campaigns',
    }
    first, *rest = command.split()
    arguments = [word.format(**words) for word in (first, *rest)]
    store = [] if first in NO_STORE else ["--store", str(folder / "store")]
    main([*arguments, *store])
    said = capsys.readouterr()
    assert said.out or said.err
    assert not STEERS.search(said.out), said.out
    assert not STEERS.search(said.err), said.err


def test_a_name_is_shown_with_its_escapes_and_brackets(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "--store", str(folder / "store")])
    assert SHOWN in capsys.readouterr().out
    main(["list", "--json", "--store", str(folder / "store")])
    assert json.loads(capsys.readouterr().out)[0]["name"] == NAME, "data stay as they are"
    main(["sql", "--format", "csv", "SELECT name FROM campaigns", "--store", str(folder / "store")])
    assert NAME in capsys.readouterr().out, "data stay as they are"


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_rows_on_a_terminal_do_not_steer_it_whatever_their_format(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    query = 'SELECT name AS "x\x1b[2J", name FROM campaigns'
    assert main(["sql", "--format", form, query, "--store", str(folder / "store")]) == 0
    said = capsys.readouterr().out
    assert "owned" in said
    assert not STEERS.search(said), said


def test_commands_print_through_one_function() -> None:
    for path in Path(dear_tui.cli.__file__).parent.rglob("*.py"):
        if path.name != "say.py":
            assert not re.search(r"(?<![\w.])print\(", path.read_text()), path


@pytest.fixture
def app(folder: Path) -> Iterator[DearApp]:
    """The screens over that store."""
    app = DearApp(folder / "store", 1)
    yield app
    assert not app.crash


async def shown(pilot: Pilot[str]) -> str:
    """What stands on the screen, once its threads have read."""
    app = pilot.app
    assert isinstance(app, DearApp)
    async with asyncio.timeout(30):
        while any(worker.is_running and worker.group not in STANDING for worker in app.workers):
            await pilot.pause(0.01)
    await pilot.pause()
    text = screen_text(app)
    assert not STEERS.search(text), [line for line in text.splitlines() if STEERS.search(line)]
    return text


STANDING = ("read_store", "read_queue", "live_details")


@pytest.mark.parametrize(
    "size", [(200, 50), (20, 5), *(pytest.param(size, marks=pytest.mark.slow) for size in ((80, 24), (1, 1)))]
)
@pytest.mark.parametrize("mode", sorted(DearApp.MODES))
async def test_no_screen_lets_a_name_steer_the_terminal(app: DearApp, mode: str, size: tuple[int, int]) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        app.switch_mode(mode)
        await shown(pilot)
        for key in ("question_mark", "escape", "j", "enter", "v", "escape", "s", "d", "n", "x", "n", "o", "escape"):
            await pilot.press(key)
            await shown(pilot)


async def test_the_list_shows_the_name_with_its_escapes(app: DearApp) -> None:
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await settle(pilot)
        app.switch_mode("campaigns")
        await pilot.pause()
        assert SHOWN in await shown(pilot)


async def test_a_notice_and_a_result_show_it_too(app: DearApp) -> None:
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await settle(pilot)
        app.notify(f"Campaign 1 ({NAME}) is finished", timeout=60)
        await pilot.pause()
        assert "[red]b[/][@click" in await shown(pilot)
        app.open_sql('SELECT name AS "n\x1b[2J" FROM campaigns')
        await pilot.pause()
        assert "[red]b[/][@click" in await shown(pilot)
        await pilot.press("v")
        assert SHOWN in await shown(pilot)


async def test_a_field_of_one_line_takes_what_it_can_hold_of_a_huge_paste(app: DearApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.switch_mode("campaigns")
        await pilot.pause()
        await pilot.press("slash")
        field = app.focused
        assert isinstance(field, Input)
        app.post_message(events.Paste("x\x1b[2J" * 1_000_000))
        await pilot.pause()
        assert 0 < len(field.value) <= MOST_PASTED
        await shown(pilot)
