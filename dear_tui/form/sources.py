"""Where a new campaign may start from: a sample, a campaign of the store, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.paths import expanded, folder_of, is_folder, present_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.config.fields import ConfigField

SAMPLES = Path(__file__).parent.parent / "sample_configs"
FIRST = "lenet5-mnist"
"""the sample that needs nothing"""


@dataclass(frozen=True)
class Start:
    """A config to start from."""

    tables: dict[str, Any]
    folder: Path
    """where its relative paths start"""
    left_out: tuple[str, ...] = ()
    """what the form has no field for, a sentence each"""


def sample_names() -> list[str]:
    """The one that needs nothing first."""
    return sorted((path.stem for path in SAMPLES.glob("*.toml")), key=lambda name: (name != FIRST, name))


def from_sample(name: str) -> Start:
    """A sample, whose files are looked for in the present folder."""
    from engine.config.campaign_config import read_tables

    return Start(read_tables(SAMPLES / f"{name}.toml"), present_folder())


def from_file(path: Path, fields: Iterable[ConfigField]) -> Start:
    """A TOML file; what is wrong with its values the form says later.

    Raises:
        ConfigError: it cannot be read.
    """
    from engine.config.campaign_config import check_config, read_tables

    path = expanded(path)
    tables, folder = read_tables(path), folder_of(path)
    checked = check_config(tables, folder)
    problems = checked if isinstance(checked, list) else []
    known = {(field.section, field.key) for field in fields}
    others = (problem for problem in problems if (problem.section, problem.key) not in known)
    return Start(tables, folder, tuple(f"left out: {problem}" for problem in others))


def complete(text: str, folder: Path) -> str | None:
    """The first file or folder that a path may go on to."""
    path = folder / expanded(Path(text))
    parent, start = (path, "") if text.endswith("/") else (path.parent, path.name)
    try:
        names = sorted(
            f"{entry.name}/" if is_folder(entry) else entry.name
            for entry in parent.iterdir()
            if entry.name.startswith(start) and (start or not entry.name.startswith("."))
        )
    except OSError:
        return None
    return text + names[0][len(start) :] if text and names and names[0] != start else None
