"""The TOML of a study: one config, and what varies in it; it expands to a config for each member."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from engine.config.campaign_config import CampaignConfig, check_config, read_tables
from engine.errors import ConfigError
from engine.paths import folder_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

MOST_MEMBERS = 1000

RANGE = ("from", "to", "step")
"""keys of a range of whole numbers, its end included"""

Tables = dict[str, Any]


@dataclass(frozen=True)
class Member:
    """One campaign of a study."""

    factors: Mapping[str, Any]
    """what varies -> the value of this member"""
    config: CampaignConfig


@dataclass(frozen=True)
class Study:
    """Campaigns that belong together."""

    name: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class _Level:
    """One value of something that varies, and the tables that say so."""

    factor: str
    value: Any
    tables: Tables


def load_study(path: Path) -> Study:
    """Read a study and check every member.

    A study is a config with a table `[vary]`. Its keys are those of the config, as "faults.seed", with a list of
    values or a range `{ from = 1, to = 5 }`; or any other word, with a list of tables that each have a `name` and the
    tables of the config that go together, such as a network with its images. The members are all combinations, the
    last key varying fastest.

    Raises:
        ConfigError: with every problem, a sentence each, that names the file, the member and the field.
    """
    tables = read_tables(path)
    source = shown(path)
    varied = tables.pop("vary", None)
    if not isinstance(varied, dict) or not varied:
        raise ConfigError([f'{source}: [vary] is missing; say what varies, for example "faults.seed" = [1, 2, 3]'])
    try:
        axes = [list(_levels(factor, values)) for factor, values in varied.items()]
    except ValueError as error:
        raise ConfigError([f"{source}: [vary] {error}"]) from None
    _check_apart(source, axes)
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MOST_MEMBERS:
        raise ConfigError([f"{source}: [vary] asks for {count:,} campaigns; at most {MOST_MEMBERS:,} are one study"])
    return _checked(source, tables, list(product(*axes)), path)


def _check_apart(source: str, axes: Sequence[Sequence[_Level]]) -> None:
    """No two things that vary set the same key, and no two values of one have the same name.

    Raises:
        ConfigError: some do: a member would not be what its factors say.
    """
    said_by: dict[tuple[str, str], str] = {}
    problems = []
    for axis in axes:
        factor, names = axis[0].factor, [str(level.value) for level in axis]
        problems += [
            f"{source}: [vary] {factor}: {name!r} is there twice; give each value a name of its own"
            for name in dict.fromkeys(name for name in names if names.count(name) > 1)
        ]
        keys = {(table, key) for level in axis for table, value in level.tables.items() for key in _keys_of(value)}
        problems += [
            f"{source}: [vary] {factor} and {said_by[key]} both set {'.'.join(filter(None, key))}; leave it to one"
            for key in sorted(keys & said_by.keys())
        ]
        said_by |= dict.fromkeys(keys, factor)
    if problems:
        raise ConfigError(problems)


def _keys_of(value: object) -> Iterable[str]:
    """The keys of a table; a key above all tables has none below it."""
    return value if isinstance(value, dict) else ("",)


def _checked(source: str, base: Tables, combinations: Sequence[tuple[_Level, ...]], path: Path) -> Study:
    name = base.get("name")
    members, problems = [], []
    for levels in combinations:
        factors = {level.factor: level.value for level in levels}
        tables = base
        for level in levels:
            tables = _merged(tables, level.tables)
        said = ", ".join(f"{factor} = {value}" for factor, value in factors.items())
        if isinstance(name, str):
            tables = tables | {"name": " ".join([name, *(str(value) for value in factors.values())])}
        config = check_config(tables, folder_of(path))
        if isinstance(config, list):
            problems += [f"{source}, the member with {said}: {problem}" for problem in config]
        else:
            members.append(Member(factors, config))
    if problems:
        raise ConfigError(problems)
    return Study(str(name), tuple(members))


def _levels(factor: str, values: object) -> Iterator[_Level]:
    """The values of one thing that varies; ValueError, which says what is wrong, where there is none."""
    section, dot, key = factor.partition(".")
    if isinstance(values, dict):
        values = _range(factor, values)
    if not isinstance(values, list) or not values:
        raise ValueError(f"{factor}: should be a list with at least one value, or a range {{ from = 1, to = 5 }}")
    for place, value in enumerate(values):
        if dot:
            yield _Level(factor, value, {section: {key: value}})
        elif not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise ValueError(
                f"{factor}, item {place + 1}: should be a table with a name and what goes with it; a single key is "
                'written with its table, as "faults.seed"'
            )
        else:
            yield _Level(factor, value["name"], {table: keys for table, keys in value.items() if table != "name"})


def _range(factor: str, values: Mapping[str, object]) -> list[int]:
    ends = {key: value for key, value in values.items() if type(value) is int and key in RANGE}
    step = ends.get("step", 1)
    if ends.keys() != values.keys() or not {"from", "to"} <= ends.keys() or step < 1 or ends["to"] < ends["from"]:
        raise ValueError(f"{factor}: a range is {{ from = 1, to = 5 }}, of whole numbers that rise; step is 1 or more")
    if (ends["to"] - ends["from"]) // step >= MOST_MEMBERS:
        raise ValueError(f"{factor}: the range has more than {MOST_MEMBERS:,} values")
    return list(range(ends["from"], ends["to"] + 1, step))


def _merged(tables: Tables, added: Tables) -> Tables:
    """Tables with the keys of others put in; a key above all tables is replaced."""
    merged = dict(tables)
    for name, value in added.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
