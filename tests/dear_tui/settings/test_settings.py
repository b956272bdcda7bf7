"""The user's config: read, refused in sentences, and the theme kept in it."""

import asyncio
import errno
import os
import re
from pathlib import Path

import pytest

from dear_tui.app import DearApp
from dear_tui.cli import main
from dear_tui.settings.settings import Settings
from dear_tui.settings.settings_file import load_settings, remember, settings_path
from engine.errors import ConfigError, InputError
from tests.dear_tui.memory_store import FakeSource, settle, until

WRITTEN = """\
# mine
theme = "nord"  # of the north

[notify]
bell = true

[keys]
app.quit = "Q"
"row-list.first" = "home"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "my.toml"
    monkeypatch.setenv("DEAR_CONFIG", str(path))
    return path


def test_without_a_file_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "XDG_CONFIG_HOME" / "dear-tui" / "config.toml"
    assert settings_path() == path
    assert load_settings() == Settings(path)


def test_all_of_it_is_read(file: Path) -> None:
    file.write_text(WRITTEN)
    keys = {"app.quit": "Q", "row-list.first": "home"}
    assert load_settings() == Settings(file, "nord", keys, bell=True, desktop=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("theme = 3", "theme: should be text in quotes, but is 3"),
        ('theme = "nrd"', "theme: there is no theme 'nrd'; use one of ansi-dark"),
        ("them = 'nord'", "them: unknown key; did you mean theme?"),
        ("[notify]\nbell = 1", "[notify] bell: should be true or false, but is 1"),
        ("[notify]\nbel = true", "[notify] bel: unknown key; did you mean bell?"),
        ("[keys]\napp.quit = 3", "[keys] app.quit: should be text in quotes, but is 3"),
        ("[keys]\napp.quit = ''", "[keys] app.quit: should not be empty"),
        ("[keys]\napp.kwit = 'x'", "[keys] app.kwit: there is no such action; did you mean app.quit?"),
        ("[keys]\napp.quit = '?'", "[keys] app.quit: the key question_mark is that of app.show-keys"),
        ("[panes]\nimages-width = '1'", "[panes] images-width: should be a number, but is '1'"),
        ("[panes]\nimages-width = 1", "[panes] images-width: should be less than 1, but is 1"),
        ("[keys", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        load_settings()
    assert f"{file}: {problem}" in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_named_file_must_be_there(file: Path) -> None:
    with pytest.raises(InputError, match="there is no such file; give DEAR_CONFIG another path, or unset it"):
        load_settings()
    assert not file.exists()


def test_the_keys_command_prints_what_a_config_takes(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 0
    printed = capsys.readouterr().out
    file.write_text(printed)
    assert load_settings().keys["app.jump"] == "f,ctrl+o"
    assert "# jump: letters on all there is" in printed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, 'theme = "dracula"\n'),
        (WRITTEN, WRITTEN.replace('"nord"', '"dracula"')),
        ("[keys]\ntheme.x = 'y'\n", "theme = \"dracula\"\n\n[keys]\ntheme.x = 'y'\n"),
        ("theme = '''\nnord'''\n[keys]\n", 'theme = "dracula"\n[keys]\n'),
    ],
)
def test_the_theme_is_written_and_the_rest_stays(tmp_path: Path, before: str | None, after: str) -> None:
    path = tmp_path / "folder" / "config.toml"
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)
    remember(path, "theme", "dracula")
    assert path.read_text() == after
    assert [path] == list(path.parent.iterdir())


def test_values_of_a_table_are_written_beside_those_that_are_there(file: Path) -> None:
    file.write_text(WRITTEN)
    remember(file, "panes", {"images-width": 0.25})
    remember(file, "panes", {"live-width": 0.5})
    assert load_settings().panes == {"images-width": 0.25, "live-width": 0.5}
    assert file.read_text() == WRITTEN + "\n[panes]\nimages-width = 0.25\nlive-width = 0.5\n"


@pytest.mark.parametrize("text", [b"[keys", b"theme = 1\ntheme = 2\n", b"\xff"])
def test_a_file_that_is_no_toml_is_left(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text)
    with pytest.raises(InputError, match="theme"):
        remember(path, "theme", "dracula")
    assert path.read_bytes() == text


async def until_theme(pilot: object, path: Path, theme: str) -> None:
    async with asyncio.timeout(20):
        while not path.exists() or f'"{theme}"' not in path.read_text():
            await pilot.pause()  # type: ignore[attr-defined]


async def test_the_theme_chosen_last_is_there_next_time(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"

    def app() -> DearApp:
        theme = path.read_text().split('"')[1] if path.exists() else None
        return DearApp(Path("/data/store"), None, lambda _path: FakeSource(), settings=Settings(path, theme))

    first = app()
    async with first.run_test() as pilot:
        await settle(pilot)
        assert not path.exists()
        for theme in ("nord", "dracula", "textual-dark"):
            first._kept_theme.choose(theme)
            await until_theme(pilot, path, theme)
        first._kept_theme.choose("gruvbox")
        await until_theme(pilot, path, "gruvbox")
    second = app()
    async with second.run_test() as pilot:
        await settle(pilot)
        assert second.theme == "gruvbox"


async def test_the_theme_is_chosen_in_the_palette(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    app = DearApp(Path("/data/store"), None, lambda _path: FakeSource(), settings=Settings(path))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p", *"theme", "enter")
        await pilot.pause()
        await pilot.press(*"nord", "enter")
        await until_theme(pilot, path, "nord")
        await until(pilot, lambda: app.theme == "nord")


async def test_a_theme_under_the_cursor_is_shown_and_only_a_chosen_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    app = DearApp(Path("/data/store"), None, lambda _path: FakeSource(), settings=Settings(path))
    async with app.run_test() as pilot:
        await settle(pilot)
        before = app.theme
        app.search_themes()
        await pilot.pause()
        assert app.theme == before, "the present one is the first of the list"
        await pilot.press(*"drac")
        await until(pilot, lambda: app.theme == "dracula")
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == before)
        assert not path.exists()


async def test_a_theme_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.mkdir()
    app = DearApp(Path("/data/store"), None, lambda _path: FakeSource(), settings=Settings(path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app._kept_theme.choose("nord")
        async with asyncio.timeout(20):
            while not app._notifications:
                await pilot.pause()
        assert [f"{path}: the theme cannot be kept there" in told.message for told in app._notifications] == [True]


async def test_the_theme_of_sixteen_colours_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "screen")
    monkeypatch.delenv("COLORTERM")
    path = tmp_path / "config.toml"
    app = DearApp(Path("/data/store"), None, lambda _path: FakeSource(), settings=Settings(path, "nord"))
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == "ansi-dark"
        app._kept_theme.choose("ansi-light")
        await pilot.pause()
        await pilot.pause()
    assert not path.exists()


def test_a_file_that_begins_with_a_mark_of_its_encoding_is_read_and_kept(file: Path) -> None:
    file.write_text("theme = 'nord'\n", encoding="utf-8-sig")
    assert load_settings().theme == "nord"
    remember(file, "theme", "dracula")
    assert load_settings().theme == "dracula"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"x = {'[' * 5000}", "its lists or tables are nested too deeply; give a TOML config"),
        (f"x = {'9' * 5000}", "not valid TOML"),
        ("#" * 1_000_001, "has more than 1,000,000 bytes; give a TOML config, which is small"),
    ],
    ids=["deep", "long number", "large"],
)
def test_toml_that_nobody_writes_is_said(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(f"{file}: {problem}")):
        load_settings()


def test_a_pipe_is_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(ConfigError, match="is a pipe, not a file"):
        load_settings()


def test_a_folder_that_may_not_be_searched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of the user before, whose HOME was kept."""

    def refused(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    for name in ("stat", "lstat"):
        monkeypatch.setattr(Path, name, refused)
    with pytest.raises(ConfigError, match=r"cannot be read \(Permission denied\); give DEAR_CONFIG another path"):
        load_settings()


def test_a_link_stays_one_and_the_mode_as_it_is(tmp_path: Path) -> None:
    kept, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    kept.write_text("theme = 'nord'\n")
    kept.chmod(0o600)
    link.symlink_to(kept)
    remember(link, "theme", "dracula")
    assert (link.is_symlink(), kept.read_text(), kept.stat().st_mode & 0o777) == (True, 'theme = "dracula"\n', 0o600)
