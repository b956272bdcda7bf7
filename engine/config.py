"""The TOML config of a campaign: read, checked, and explained when it is wrong (all problems at once)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from engine.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEMORY_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def _resolve_path(value: object, info: ValidationInfo) -> object:
    """Relative paths start at the config's folder; `~` is the home."""
    if not isinstance(value, str):
        return value
    path = Path(value).expanduser()
    folder: Path | None = (info.context or {}).get("folder")
    return path if folder is None else folder / path


def _parse_memory(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B)\s*", value)
    if match is None:
        raise ValueError('write a size with its unit, for example "2GB"')
    return int(float(match[1]) * MEMORY_UNITS[match[2]])


ConfigPath = Annotated[Path, BeforeValidator(_resolve_path)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """Refuses unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelConfig(Section):
    """Which network, with which weights."""

    arch: Literal["lenet5", "resnet20"]
    weights: ConfigPath | None = None
    """safetensors, or a .pt/.th file of tensors; absent: the bundled weights (lenet5 on mnist only)"""


class DatasetConfig(Section):
    """Which images, and how they are normalised."""

    name: Literal["mnist", "fashion_mnist", "cifar10", "npz", "folder"]
    path: ConfigPath | None = None
    """a folder; for npz the file; absent: the bundled MNIST test set (mnist only)"""
    mean: tuple[float, ...] | None = Field(default=None, strict=False)
    std: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _has_path(self) -> Self:
        if self.path is None and self.name != "mnist":
            raise ValueError(f'path is missing: say where the {self.name} images are, for example path = "~/data"')
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std go together: give both or neither")
        return self


class FaultsConfig(Section):
    """Which faults are drawn."""

    model: Literal["bit_flip", "stuck_at_0", "stuck_at_1", "stuck_at"] = "bit_flip"
    sampling: Literal["network", "list"] = "network"
    list: ConfigPath | None = None
    population: Literal["x32", "x64"] = "x32"
    error_margin: Fraction = 0.01
    confidence: Fraction = 0.99
    count: Count | None = None
    layers: tuple[str, ...] | None = Field(default=None, strict=False, min_length=1)
    bits: tuple[Annotated[int, Field(ge=0, le=31)], ...] | None = Field(default=None, strict=False, min_length=1)
    seed: Seed = 42

    @model_validator(mode="after")
    def _list_has_file(self) -> Self:
        if (self.sampling == "list") != (self.list is not None):
            raise ValueError('sampling = "list" and list = "faults.csv" go together: give both or neither')
        if self.sampling == "list" and self.count is not None:
            raise ValueError("count does not apply to a list: remove it, or filter the list by layers and bits")
        return self


CENTERED_METRICS = {"el2n": 0.5**0.5, "deepgini": 0.5, "cross_entropy": 0.6931471805599453}
"""The metric's value on the two-class decision boundary: 1/sqrt 2, 1/2, ln 2."""

SELECT_OPTIONS: Mapping[str, frozenset[str]] = {
    "all": frozenset(),
    "top_n": frozenset({"n"}),
    "fraction": frozenset({"fraction"}),
    "central": frozenset({"center", "eps"}),
    "pre_plateau": frozenset({"threshold"}),
    "random": frozenset({"n", "fraction", "seed"}),
}


class WorkloadConfig(Section):
    """Which images a campaign runs, and in which order."""

    metric: Literal["el2n", "deepgini", "cross_entropy"] = "el2n"
    select: Literal["all", "top_n", "fraction", "central", "pre_plateau", "random"] = "all"
    n: Count | None = None
    fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    center: float | None = None
    eps: Annotated[float, Field(gt=0)] = 0.3
    threshold: Annotated[float, Field(gt=0)] = 5e-5
    seed: Seed = 0

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        for name in sorted(self.model_fields_set - {"metric", "select"} - SELECT_OPTIONS[self.select]):
            takers = " or ".join(f'"{select}"' for select, options in SELECT_OPTIONS.items() if name in options)
            raise ValueError(f'{name} does not apply to select = "{self.select}": remove it, or use select = {takers}')
        if self.select in ("top_n", "fraction") and getattr(self, SIZE_OPTION[self.select]) is None:
            raise ValueError(f'select = "{self.select}" needs {SIZE_OPTION[self.select]}')
        if self.select == "random" and (self.n is None) == (self.fraction is None):
            raise ValueError('select = "random" needs either n or fraction')
        return self


SIZE_OPTION = {"top_n": "n", "fraction": "fraction"}


class RunConfig(Section):
    """How the faults are injected."""

    method: Literal["exact"] = "exact"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    tf32: bool = False
    memory: Annotated[int, BeforeValidator(_parse_memory), Field(gt=0)] = 2 * 10**9
    """bytes for the kept golden tensors and the batches together"""


class CampaignConfig(Section):
    """One campaign."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    model: ModelConfig
    dataset: DatasetConfig
    faults: FaultsConfig = FaultsConfig()
    workload: WorkloadConfig = WorkloadConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _weights_known(self) -> Self:
        if self.model.weights is None and (self.model.arch, self.dataset.name) != ("lenet5", "mnist"):
            raise ValueError(
                f"[model] weights is missing: only lenet5 on mnist has bundled weights; give those of {self.model.arch}"
            )
        return self


def load_config(path: Path) -> CampaignConfig:
    """Read and check one TOML config.

    Raises:
        ConfigError: with every problem, a sentence each, that names the file and the field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file; give the path of a TOML config"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read as text ({error}); give a TOML config"]) from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not valid TOML ({error}); mend that line"]) from None
    return parse_config(tables, source=str(path), folder=path.resolve().parent)


def load_configs(paths: Sequence[Path]) -> list[CampaignConfig]:
    """Read and check several configs.

    Raises:
        ConfigError: with the problems of all of them.
    """
    configs, problems = [], []
    for path in paths:
        try:
            configs.append(load_config(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return configs


def parse_config(tables: Mapping[str, Any], source: str, folder: Path | None = None) -> CampaignConfig:
    """Check the tables of a config; `source` names it in messages, `folder` is where relative paths start."""
    try:
        return CampaignConfig.model_validate(tables, context={"folder": folder})
    except ValidationError as error:
        raise ConfigError([f"{source}: {_sentence(problem)}" for problem in error.errors()]) from None


def _sentence(problem: Mapping[str, Any]) -> str:
    """One pydantic problem as `[section] field: what is wrong`."""
    location = [str(part) for part in problem["loc"]]
    field = ""
    if location:
        is_section = location[0] in CampaignConfig.model_fields and location[0] != "name"
        field = " ".join([f"[{location[0]}]", *location[1:]]) if is_section else ".".join(location)
        field += ": "
    kind, given = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        return f"{field}unknown key; remove it or mend its spelling"
    if kind == "missing":
        return f"{field}missing; add it"
    if kind == "value_error":
        return field + str(problem["ctx"]["error"])
    message = problem["msg"].removeprefix("Input ")
    return f"{field}{message}, but is {given!r}"
