"""The user's config of the terminal: a TOML file, read at the start; what is chosen in the terminal is written back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from textual.theme import BUILTIN_THEMES

from dear_tui.settings.keymap import keymap_problems
from dear_tui.settings.settings import Settings
from engine.config.problems import explain
from engine.errors import ConfigError, InputError
from engine.paths import exists, expanded, own_folder, replace_text, shown

VARIABLE = "DEAR_CONFIG"


def _flatten(value: object) -> object:
    """In TOML `app.quit = "Q"` is a table in a table: here it is the id `app.quit`, as with quotes."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, object] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            flat |= {f"{key}.{name}": keys for name, keys in inner.items()}
        else:
            flat[key] = inner
    return flat


def _check_theme(value: object) -> object:
    if isinstance(value, str) and value not in BUILTIN_THEMES:
        raise ValueError(f"there is no theme {value!r}; use one of {', '.join(sorted(BUILTIN_THEMES))}")
    return value


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Notify(_Table):
    bell: bool = False
    desktop: bool = False


class _File(_Table):
    theme: Annotated[str | None, BeforeValidator(_check_theme)] = None
    notify: _Notify = _Notify()
    keys: Annotated[dict[str, Annotated[str, Field(min_length=1)]], BeforeValidator(_flatten)] = {}
    panes: dict[str, Annotated[float, Field(gt=0, lt=1)]] = {}


def settings_path() -> Path:
    """DEAR_CONFIG, else config.toml in the platform's config folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return expanded(Path(named))
    return own_folder(platformdirs.user_config_path) / "config.toml"


def load_settings() -> Settings:
    """Read and check the user's config; without a file nothing is changed.

    Raises:
        ConfigError: with every problem, a sentence each, that names the file and the field.
    """
    path = settings_path()
    if not os.environ.get(VARIABLE) and not _may_be_there(path):
        return Settings(path)
    file = _read(path)
    problems = [f"{path}: [keys] {problem}" for problem in keymap_problems(file.keys)]
    if problems:
        raise ConfigError(problems)
    return Settings(path, file.theme, file.keys, file.panes, file.notify.bell, file.notify.desktop)


def _may_be_there(path: Path) -> bool:
    """Also where a folder above it may not be searched: then the user is told so."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _read(path: Path) -> _File:
    from engine.config.campaign_config import read_tables  # takes its time, and most users have no config

    try:
        path.stat()
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise ConfigError([f"{shown(path)}: {why}; give {VARIABLE} another path, or unset it"]) from None
    try:
        return _File.model_validate(read_tables(path))
    except ValidationError as error:
        raise ConfigError([f"{path}: {problem}" for problem in explain(error, _File)]) from None


def remember(path: Path, name: str, value: Any) -> None:
    """Write a value, or those of a table, into the user's config; the rest, with its comments, stays as it is.

    The config is made where there is none.

    Raises:
        InputError: the file cannot be written, or is no TOML.
    """
    import tomlkit

    try:
        settings = tomlkit.parse(path.read_text(encoding="utf-8-sig") if exists(path) else "")
        table = settings.get(name)
        if isinstance(value, dict) and isinstance(table, dict):
            table.update(value)
        else:
            settings[name] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, tomlkit.dumps(settings))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: the {name} cannot be kept there ({error})") from None
