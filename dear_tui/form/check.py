"""A draft tried out: what is wrong with it, or how large its campaign is. May block; imports no torch."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config import option_words
from engine.errors import DearError
from engine.paths import expanded, is_file, replace_text

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from tomlkit import TOMLDocument

    from dear_tui.form.draft import Draft, Place
    from engine.config.fields import ConfigField
    from engine.running.campaign_size import Material, Size


NOWHERE: Place = ("", "")
"""of what is wrong with no key in particular"""

AGAIN = ("submit", "again")
"""the place of what is no key of a config, but is asked when one is submitted"""


@dataclass(frozen=True)
class Checked:
    """What is known of a draft without running anything."""

    tables: dict[str, Any]
    """of the keys that apply"""
    shown: frozenset[Place]
    """the keys that apply"""
    problems: dict[Place, str]
    """the first of each key, in the engine's words"""
    size: Size | None
    """None where it is wrong, or network and images are not loaded yet"""
    error: str
    """why the faults or images cannot be had"""


def again_field() -> ConfigField:
    """Whether to begin anew."""
    from engine.config.fields import ConfigField

    meanings = {"false": "one that is begun goes on, one that is finished is not run", "true": option_words.AGAIN}
    return ConfigField(
        *AGAIN,
        "begin anew",
        kind="flag",
        is_list=False,
        choices=(),
        default=False,
        example="",
        help="what is done where the store has this campaign",
        meanings=meanings,
    )


def check(draft: Draft, fields: Sequence[ConfigField], material: Material | None, images: int | None) -> Checked:
    """Check the keys that apply; what was typed into the others does not count.

    Args:
        draft: what was typed.
        fields: of the form.
        material: of the draft's network and images, where known.
        images: the size of the workload, where it is known from having ranked the images.
    """
    from engine.config.campaign_config import check_config
    from engine.config.fields import applies
    from engine.faults.designs.data_aware import WeightsNeededError
    from engine.running.campaign_size import count

    everything = draft.tables(fields)
    shown = [one for one in fields if applies(one.section, one.key, everything)]
    shown_places = frozenset((one.section, one.key) for one in shown)
    tables = draft.tables(shown)
    config = check_config(tables, draft.folder)
    problems: dict[Place, str] = {}
    size, error = None, ""
    if isinstance(config, list):
        for problem in config:
            place, sentence = (problem.section, problem.key), problem.reason
            if not problem.key:
                place, sentence = at_field(sentence, place)
            problems.setdefault(place, f"{problem.item}: {sentence}" if problem.item else sentence)
    elif material is not None:
        try:
            with suppress(WeightsNeededError):  # then only the estimate can tell
                size = count(config, material, images)
        except DearError as refused:
            place, sentence = at_field(str(refused))
            if place in shown_places:
                problems[place] = sentence
            else:
                error = str(refused)
    return Checked(tables, shown_places, problems, size, error)


def at_field(sentence: str, place: Place = NOWHERE) -> tuple[Place, str]:
    """The field that a sentence of the engine names at its start, `[section] key: ...`, and what it says of it."""
    named = re.fullmatch(r"\[(\w+)\] (\w+): (.+)", sentence, re.DOTALL)
    return ((named[1], named[2]), named[3]) if named else (place, sentence)


def write_toml(path: Path, draft: Draft, tables: dict[str, Any], fields: Sequence[ConfigField]) -> None:
    """Save the tables; relative paths still lead to the same files where it is another folder.

    A config that is written over keeps its comments and its order.

    Raises:
        OSError: it cannot be written.
        ValueError: a path in it is no UTF-8.
        RuntimeError: the path is a link that leads to itself.
    """
    import tomlkit

    saved = {name: dict(value) if isinstance(value, dict) else value for name, value in tables.items()}
    if path.resolve().parent != draft.folder.resolve():
        for one in fields:
            table = saved.get(one.section)
            if one.kind == "path" and table and one.key in table:
                table[one.key] = str(draft.folder / expanded(Path(table[one.key])))
    document = _document(path)
    _take_over(saved, document, document.unwrap())
    replace_text(path, tomlkit.dumps(document))


def _document(path: Path) -> TOMLDocument:
    """The config that is there; an empty one where there is none, or none that can be read."""
    import tomlkit

    with suppress(OSError, ValueError, RecursionError):
        if is_file(path):  # a pipe would be waited for
            return tomlkit.parse(path.read_text(encoding="utf-8-sig"))
    return tomlkit.document()


def _take_over(values: Mapping[str, Any], document: MutableMapping[str, Any], said: Mapping[str, Any]) -> None:
    """Make a table of a document, which said `said`, say these values; what stays the same stays as it is written."""
    for name in said.keys() - values.keys():
        del document[name]
    for name, value in values.items():
        before = said.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            _take_over(value, document[name], before)
        elif repr(before) != repr(value):  # 1, 1.0 and true are equal, but not the same
            document[name] = value
