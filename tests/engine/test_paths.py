"""What lies under a path: an answer or a sentence, whatever was typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dear_tui.form.sources import complete
from engine.errors import InputError, UnreachableError
from engine.paths import MissingFileError, expanded, file_bytes, is_file, is_folder, present_folder, shown
from engine.store.layout import Layout


def test_where_the_present_folder_was_removed_the_home_is_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, home = tmp_path / "gone", tmp_path / "home"
    gone.mkdir()
    home.mkdir()
    monkeypatch.chdir(gone)
    assert present_folder() == gone
    gone.rmdir()
    monkeypatch.setenv("HOME", str(home))
    assert present_folder() == home
    home.rmdir()
    assert present_folder() == Path("/")


def test_a_tilde_is_the_home_and_that_of_an_unknown_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert expanded(Path("~/d")) == Path("/home/somebody/d")
    assert expanded(Path("~no-such-user/d")) == Path("~no-such-user/d")


def test_a_tilde_that_is_being_typed_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete("~no-such-user", tmp_path) is None
    with pytest.raises(UnreachableError, match="no user of that name has a home"):
        Layout.of(Path("~no-such-user"))


def test_a_file_has_a_size_and_everything_else_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"123")
    assert file_bytes(tmp_path / "file", "fix it") == 3
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name, expected in {
        "pipe": "is a pipe, not a file",
        ".": "is a folder, not a file",
        "link": "is a link that leads nowhere",
        "loop": "cannot be read (Too many levels of symbolic links)",
        "none": "there is no such file",
        "x" * 300: "cannot be read (File name too long)",
    }.items():
        with pytest.raises(InputError) as caught:
            file_bytes(tmp_path / name, "fix it")
        assert str(caught.value) == f"{tmp_path / name}: {expected}; fix it"
        assert not is_file(tmp_path / name)
    assert is_folder(tmp_path)
    assert not is_folder(tmp_path / "loop")
    with pytest.raises(MissingFileError):
        file_bytes(tmp_path / "none", "fix it")


def test_a_name_that_is_no_text_can_be_printed() -> None:
    assert shown(Path(os.fsdecode(b"caf\xe9 \xc3\xa9"))) == "caf\\xe9 é"
