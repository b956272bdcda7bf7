"""The TOML config of a campaign: read, checked, and explained when it is wrong (all problems at once)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from engine.config.executors import EXECUTORS
from engine.config.option_words import DEVICE
from engine.config.problems import Problem, explain
from engine.errors import ConfigError, InputError
from engine.faults.designs.registry import DESIGNS, LIST, SAMPLING_HELP, SAMPLINGS
from engine.formats.fault_model import FaultModel  # noqa: TC001 - pydantic reads it
from engine.formats.float32 import FLOAT32
from engine.injection.methods import DEFAULT_METHOD, METHODS, THETAS, Thetas
from engine.metrics.probabilities import EL2N
from engine.metrics.registry import METRICS, OWN
from engine.paths import MissingFileError, file_bytes, folder_of, is_file, is_folder, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_BYTES = 10**6
"""of a config"""

HOST_MEMORY = 2 * 10**9
"""bytes that a campaign may take of the machine's memory where its config names none"""

GPU_SHARE = 0.8
"""of what a GPU has free at the start, that a campaign may take there where its config names nothing"""

MEMORY_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def _resolve_path(value: object, info: ValidationInfo) -> object:
    """Relative paths start at the config's folder; `~` is the home."""
    if not isinstance(value, str):
        return value
    try:
        path = Path(value).expanduser()
    except RuntimeError:  # there is no such user
        raise ValueError(f"{value} has no home folder; write the whole path") from None
    if "\0" in value:
        raise ValueError("a path cannot hold the character 0; fix it")
    folder: Path | None = (info.context or {}).get("folder")
    return _kept_as_text(path if folder is None else folder / path)


def _kept_as_text(path: Path) -> Path:
    """A path as it is; ValueError for one that a campaign's description, which is JSON, cannot hold."""
    if shown(path) != str(path):
        raise ValueError(f"{shown(path)} is not UTF-8, as which a campaign keeps its paths; rename that folder or file")
    return path


def _parse_check(value: object) -> object:
    """A share such as "2%", or a number of pairs, as text."""
    text = str(value).replace(" ", "") if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if re.fullmatch(r"\d+(\.\d+)?%", text) and float(text[:-1]) <= 100:
        return text
    if re.fullmatch(r"\d+", text) and int(text):
        return text
    raise ValueError(f'{value!r} is neither a share nor a number of pairs; use "2%" or 5000')


def _parse_memory(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B)\s*", value)
    if match is None:
        raise ValueError('write a size with its unit, for example "2GB"')
    size = float(match[1]) * MEMORY_UNITS[match[2]]
    if size == float("inf"):
        raise ValueError("is larger than any memory; write how much this machine may spare")
    return int(size)


def _check_file(path: Path, info: ValidationInfo) -> Path:
    """A config read from disk is refused early; one kept in a store may outlive its files."""
    if _is_from_disk(info):
        _see_file(path, "fix the path")
    return path


def _see_file(path: Path, mend: str) -> None:
    """Raise ValueError where there is no regular file, or nobody may see whether there is."""
    try:
        file_bytes(path, mend)
    except MissingFileError:
        raise ValueError(f"there is no file {shown(path)}; {mend}") from None
    except InputError as error:
        raise ValueError(str(error)) from None


def _is_from_disk(info: ValidationInfo) -> bool:
    return (info.context or {}).get("folder") is not None


def check_device(device: str) -> str:
    """The name of a device, as it is.

    Raises:
        ValueError: it is none of the names.
    """
    if re.fullmatch(r"auto|cpu|cuda(:\d+)?", device) is None:
        raise ValueError(f'use "auto", "cpu", "cuda" or "cuda:1", not "{device}"')
    return device


ConfigPath = Annotated[Path, BeforeValidator(_resolve_path)]
ConfigFile = Annotated[ConfigPath, AfterValidator(_check_file)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """Refuses unknown keys and wrong types.

    Rules between keys stand with the later key and read the earlier ones, so that all problems are found at once.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True,
        use_attribute_docstrings=True,
    )  # fmt: skip


MOBILENET = "mobilenetv2"
"""the one network that has a width"""
NETWORKS = ("lenet5", "resnet9", "resnet18", "resnet20", "vgg11", "vgg16", MOBILENET)


OWN_CODE = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
"""package.module:name"""


def _check_arch(arch: str) -> str:
    if arch not in NETWORKS and re.fullmatch(rf"torchvision:\w+|{OWN_CODE}", arch) is None:
        raise ValueError(
            f'there is no network "{arch}"; use one of {", ".join(NETWORKS)}, torchvision:NAME or '
            "package.module:factory"
        )
    return arch


def _folder_of_code(path: Path | None, named: str, is_code: bool, mend: str, info: ValidationInfo) -> Path | None:
    """Where to look for the module of `named`, by default the config's folder; ValueError where it names no code."""
    if not is_code:
        if path is not None:
            raise ValueError(f"does not apply to {named}; remove it, or {mend}")
        return None
    if path is not None and _is_from_disk(info) and not is_folder(path):
        raise ValueError(f"there is no folder {path}; give the one that holds the module of {named}")
    folder: Path | None = (info.context or {}).get("folder")
    return _kept_as_text(folder) if path is None and folder is not None else path


class ModelConfig(Section):
    """Which network, with which weights."""

    arch: Annotated[str, AfterValidator(_check_arch)]
    """or torchvision:NAME, or package.module:factory: your own callable, which is run and returns an nn.Module"""
    width: Annotated[float, Field(gt=0, le=10)] = 1.0
    """scales the channels of mobilenetv2"""
    path: ConfigPath | None = None
    """the folder where package.module is looked for before the environment; absent: the config's"""
    weights: ConfigFile | None = None
    """safetensors, .pt or .th; absent: the bundled ones, of lenet5 on mnist"""

    @property
    def is_factory(self) -> bool:
        """Whether the network is made by the user's own code."""
        return is_factory(self.arch)

    @field_validator("width")
    @classmethod
    def _width_fits(cls, width: float, info: ValidationInfo) -> float:
        if width != 1 and info.data.get("arch", MOBILENET) != MOBILENET:
            raise ValueError(f'does not apply to {info.data["arch"]}; remove it, or use arch = "mobilenetv2"')
        return width

    @field_validator("path")
    @classmethod
    def _path_fits(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        arch = info.data.get("arch")
        mend = 'use arch = "package.module:factory"'
        return path if arch is None else _folder_of_code(path, arch, is_factory(arch), mend, info)

    @field_validator("weights")
    @classmethod
    def _weights_known(cls, weights: Path | None, info: ValidationInfo) -> Path | None:
        arch, dataset = info.data.get("arch"), (info.context or {}).get("dataset")
        if weights is None and arch and dataset and (arch, dataset) != BUNDLED:
            raise ValueError(f"missing; only lenet5 on mnist has bundled weights, so give those of {arch}")
        return weights


def is_factory(arch: str) -> bool:
    """Whether an arch is package.module:factory."""
    return ":" in arch and not arch.startswith("torchvision:")


BUNDLED = ("lenet5", "mnist")
"""The network and data set whose weights and test images come with the package."""


class DatasetConfig(Section):
    """Which images, and how they are normalised."""

    name: Literal["mnist", "fashion_mnist", "cifar10", "npz", "folder"]
    """npz: a file with `images` and `labels`; folder: a sub-folder of images per class"""
    path: ConfigPath | None = None
    """a folder, for npz the file; absent: the bundled MNIST test set"""
    mean: tuple[float, ...] | None = Field(default=None, strict=False)
    """per channel, after uint8 is divided by 255; mnist, fashion_mnist and cifar10 have their own"""
    std: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(default=None, strict=False)
    """standard deviation per channel; goes with mean"""

    @field_validator("path")
    @classmethod
    def _path_fits(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        name = info.data.get("name")
        if path is None and name not in (None, "mnist"):
            raise ValueError(f'missing; say where the {name} images are, for example path = "~/data"')
        if path is not None and _is_from_disk(info):
            if name == "npz":
                _see_file(path, "give an .npz file with images and labels")
            if name == "folder" and is_file(path):
                raise ValueError(f"{path} is a file; give a folder with a sub-folder of images per class")
            if name == "folder" and not is_folder(path):
                raise ValueError(f"there is no folder {path}; give one with a sub-folder of images per class")
        return path

    @field_validator("std")
    @classmethod
    def _mean_and_std(cls, std: tuple[float, ...] | None, info: ValidationInfo) -> tuple[float, ...] | None:
        if "mean" in info.data and (info.data["mean"] is None) != (std is None):
            raise ValueError("mean and std go together; give both or neither")
        return std


if TYPE_CHECKING:
    SamplingName = str
else:
    SamplingName = Literal[SAMPLINGS]


class FaultsConfig(Section):
    """Which faults are drawn."""

    model: FaultModel = "bit_flip"
    """what happens to the bit; stuck_at: polarity drawn per fault"""
    sampling: SamplingName = Field(default=SAMPLINGS[0], description=SAMPLING_HELP)
    list: ConfigFile | None = None
    """a CSV with columns Layer,TensorIndex,Bit, or an export of the SQL view `faults`"""
    population: Literal["x32", "x64"] = "x32"
    """x64 counts both polarities of a flip, as published lists do"""
    error_margin: Fraction = 0.01
    """of the sample; with the confidence it decides how many faults are drawn"""
    confidence: Fraction = 0.99
    """that the true rate lies within the margin"""
    count: Count | None = None
    """faults to draw, instead of the margin; of a list: rows drawn from it"""
    layers: tuple[str, ...] | None = Field(default=None, strict=False, min_length=1)
    """only these, such as fc1 or layer3.*"""
    bits: tuple[Annotated[int, Field(ge=0, le=FLOAT32.bits - 1)], ...] | None = Field(
        default=None, strict=False, min_length=1, description=f"only these; {FLOAT32.landmarks}"
    )
    seed: Seed = 42
    """another one draws other faults"""
    p: tuple[Fraction, ...] | None = Field(default=None, strict=False)
    """of data_aware: the proportion expected of each bit, bit 0 first; absent: from the weights of each layer"""
    draw: Literal["uniform", "published"] = "uniform"
    """published: with Python's random, as published lists of bit flips are drawn"""

    @field_validator("list")
    @classmethod
    def _list_has_sampling(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if "sampling" in info.data and (info.data["sampling"] == LIST) != (path is not None):
            raise ValueError('sampling = "list" and list = "faults.csv" go together; give both or neither')
        return path

    @field_validator("population")
    @classmethod
    def _population_fits(cls, population: str, info: ValidationInfo) -> str:
        """A list may name models of its own: those are seen when it is read."""
        model = info.data.get("model")
        if population == "x64" and model in ("stuck_at_0", "stuck_at_1") and info.data.get("sampling") != LIST:
            raise ValueError(f'"x64" does not apply to {model}; use "x32", or model = "stuck_at"')
        return population

    @field_validator("error_margin", "count", "seed", "p", "draw")
    @classmethod
    def _option_fits(cls, value: object, info: ValidationInfo) -> object:
        """A margin and a seed of a list are left unsaid: the one is without effect, the other decides polarities."""
        name, sampling = str(info.field_name), info.data.get("sampling")
        if value == cls.model_fields[name].default:
            return value
        if name in ("p", "draw") and sampling == LIST:
            raise ValueError("does not apply to a list; remove it, or filter the list by layers and bits")
        if sampling in DESIGNS and name not in DESIGNS[sampling].options:
            takers = [f'"{each.name}"' for each in DESIGNS.values() if name in each.options]
            listed = " or ".join([", ".join(takers[:-1]), takers[-1]][len(takers) < 2 :])
            raise ValueError(f'does not apply to sampling = "{sampling}"; remove it, or use sampling = {listed}')
        return value

    @field_validator("draw")
    @classmethod
    def _published_fits(cls, draw: str, info: ValidationInfo) -> str:
        """Published lists hold flips of any bit."""
        if draw == "published" and info.data.get("model", "bit_flip") != "bit_flip":
            raise ValueError(f'"published" does not apply to {info.data["model"]}; use model = "bit_flip"')
        if draw == "published" and info.data.get("bits") is not None:
            raise ValueError('"published" draws from all bits; remove bits')
        return draw


def _check_metric(metric: str) -> str:
    if metric not in METRICS and re.fullmatch(OWN_CODE, metric) is None:
        raise ValueError(f'there is no metric "{metric}"; use one of {", ".join(METRICS)}, or package.module:function')
    return metric


OPTION_SELECTS: Mapping[str, tuple[str, ...]] = {
    "list": ("list",),
    "n": ("top_n", "random"),
    "fraction": ("fraction", "random"),
    "center": ("central",),
    "eps": ("central",),
    "threshold": ("pre_plateau",),
    "seed": ("random",),
}
"""Which selections an option has an effect on."""


def _center_of(metric: str) -> float | None:
    return METRICS[metric].center if metric in METRICS else None


def reads_features(metric: object) -> bool:
    """Whether a metric, by its name, is computed from what a layer reads; one of the user's own may be."""
    entry = METRICS.get(str(metric))
    return is_own(metric) if entry is None else entry.needs == "features"


def is_own(metric: object) -> bool:
    """Whether a metric is package.module:function."""
    return ":" in str(metric)


class WorkloadConfig(Section):
    """Which images a campaign runs, and in which order."""

    metric: Annotated[str, AfterValidator(_check_metric)] = EL2N.name
    """ranks the images, the most challenging first; or package.module:function: your own code, which is run"""
    path: ConfigPath | None = None
    """the folder where package.module is looked for before the environment; absent: the config's"""
    layer: str | None = None
    """of a metric of features: the layer whose input they are; absent: the last one"""
    select: Literal["all", "top_n", "fraction", "central", "pre_plateau", "nonzero", "random", "list"] = "all"
    """which of the ranked images are run; list: those of a CSV, in its order"""
    list: ConfigFile | None = None
    """a CSV with a column image_id, such as `dear-tui compact` writes"""
    n: Count | None = None
    """how many images"""
    fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    """of the data set, 0..1"""
    center: float | None = None
    """absent: the metric's value on the decision boundary"""
    eps: Annotated[float, Field(gt=0)] = 0.3
    """how far the metric may be from the center"""
    threshold: Annotated[float, Field(gt=0)] = 5e-5
    """by how much the ranked metric may fall from one image to the next on the plateau, where it is flat"""
    seed: Seed = 0
    """another one gives another order"""

    @property
    def boundary(self) -> float | None:
        """The value that `central` lies around: the given center, or the metric's own; None where there is neither."""
        return _center_of(self.metric) if self.center is None else self.center

    @property
    def is_own(self) -> bool:
        """Whether the metric is the user's own code."""
        return is_own(self.metric)

    @property
    def column(self) -> str:
        """The metric's in the store."""
        return OWN if self.is_own else self.metric

    @field_validator("path")
    @classmethod
    def _path_fits(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        metric = info.data.get("metric")
        mend = 'use metric = "package.module:function"'
        return path if metric is None else _folder_of_code(path, metric, is_own(metric), mend, info)

    @field_validator("layer")
    @classmethod
    def _layer_fits(cls, layer: str | None, info: ValidationInfo) -> str | None:
        metric = info.data.get("metric")
        if layer is not None and metric is not None and not reads_features(metric):
            takers = ", ".join(name for name in METRICS if reads_features(name))
            raise ValueError(f"does not apply to {metric}, which reads no features; remove it, or use {takers}")
        return layer

    @field_validator(*sorted(OPTION_SELECTS))
    @classmethod
    def _option_fits(cls, value: object, info: ValidationInfo) -> object:
        """An option is refused where it has no effect, and asked for where there is no default."""
        name, select = str(info.field_name), info.data.get("select")
        if select is None:
            return value
        if value != cls.model_fields[name].default and select not in OPTION_SELECTS[name]:
            takers = " or ".join(f'"{taker}"' for taker in OPTION_SELECTS[name])
            raise ValueError(f'does not apply to select = "{select}"; remove it, or use select = {takers}')
        metric = info.data.get("metric")
        if value is None and (select, name) == ("central", "center") and metric and _center_of(metric) is None:
            raise ValueError(f'missing; select = "central" needs it, because {metric} has no value of its own')
        if value is None and (select, name) in (("top_n", "n"), ("fraction", "fraction"), ("list", "list")):
            raise ValueError(f'missing; select = "{select}" needs it')
        if (
            (select, name) == ("random", "fraction")
            and "n" in info.data
            and (info.data["n"] is None) == (value is None)
        ):
            raise ValueError('select = "random" needs either n or fraction; give one of them')
        return value


if TYPE_CHECKING:
    MethodName = str
    ExecutorName = str
else:
    MethodName = Literal[tuple(METHODS)]
    ExecutorName = Literal[tuple(EXECUTORS)]


CRITICAL_FAULTS = "critical_faults"
"""the goal that asks for no more than which faults are critical"""

SCREENING = ("theta", "theta2", "audit", "audit_faults")
"""options of methods that leave pairs out"""


def screens(method: object) -> bool:
    """Whether a method, by its name, leaves pairs out and audits them."""
    entry = METHODS.get(str(method))
    return entry is not None and entry.screens


class RunConfig(Section):
    """How the faults are injected."""

    method: MethodName = Field(
        default=DEFAULT_METHOD, description="; ".join(f"{name} {entry.promise}" for name, entry in METHODS.items())
    )
    theta: Annotated[float, Field(gt=0)] = THETAS.bound
    """share of a lead that the bound of a screened pair may reach"""
    theta2: Annotated[float, Field(gt=0)] = THETAS.change
    """share of a lead that the exact change of a screened pair may take, where its bound is above theta"""
    audit: Fraction = 1e-5
    """share of all pairs that screening may have missed, to be shown by running some; at most 0.3 % are run for it"""
    audit_faults: Fraction = 0.01
    """share of the faults whose screened pairs are all run; 200 at least"""
    goal: Literal["severities", "critical_faults"] = "severities"
    """severities of all pairs, or which faults are critical: such a one is not run on the images of later blocks"""
    executor: ExecutorName = "local"
    """who computes the blocks of images"""
    device: Annotated[str, AfterValidator(check_device)] = Field(default="auto", description=DEVICE)
    tf32: bool = False
    """rounder arithmetic on recent GPUs, as in some published campaigns"""
    memory: Annotated[int, BeforeValidator(_parse_memory), Field(gt=0)] | None = Field(
        default=None, examples=[f"{HOST_MEMORY // 10**9}GB; GPU: {100 * GPU_SHARE:.0f} % of what is free"]
    )
    """bytes for the kept golden tensors and the batches, on the CPU with the images that are kept"""
    precision: Annotated[float, Field(gt=0, lt=1)] | None = None
    """stop when the interval of a rate is so narrow, from end to end, 0..1; absent: every fault is run"""
    precision_of: Literal["pairs", "faults", "accuracy"] = "pairs"
    """the rate: of critical pairs, of critical faults, or the accuracy under a fault"""
    check: Annotated[str, BeforeValidator(_parse_check)] = "2%"
    """what is compared with the plain loop before the start: a share of the campaign's time, or a number of pairs"""

    @field_validator(*SCREENING)
    @classmethod
    def _screening_fits(cls, value: float, info: ValidationInfo) -> float:
        method = info.data.get("method")
        if method and not screens(method) and value != cls.model_fields[str(info.field_name)].default:
            screening = " or ".join(f'"{name}"' for name in METHODS if screens(name))
            raise ValueError(f'does not apply to method = "{method}"; remove it, or use method = {screening}')
        return value

    @field_validator("precision_of")
    @classmethod
    def _precision_fits(cls, rate: str, info: ValidationInfo) -> str:
        precision = info.data.get("precision")
        if "precision" in info.data and precision is None and rate != cls.model_fields["precision_of"].default:
            raise ValueError("does not apply without precision; remove it, or give precision")
        if precision is not None and info.data.get("goal") == CRITICAL_FAULTS and rate != "faults":
            raise ValueError(
                f'"{rate}" is not known with goal = "{CRITICAL_FAULTS}", which leaves pairs out; use "faults"'
            )
        return rate

    @property
    def thetas(self) -> Thetas:
        """The thresholds of a method that screens."""
        return Thetas(self.theta, self.theta2)

    @property
    def check_share(self) -> float:
        """The share of the campaign's time that the self-check takes, 0..1; 0 where a number of pairs is given."""
        return float(self.check.removesuffix("%")) / 100 if self.check.endswith("%") else 0.0

    @property
    def check_pairs(self) -> int | None:
        """Pairs to compare; None where a share is given."""
        return None if self.check.endswith("%") else int(self.check)


class CampaignConfig(Section):
    """All that a campaign is computed from."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """of your choice, for lists and reports"""
    model: ModelConfig
    dataset: DatasetConfig
    faults: FaultsConfig = FaultsConfig()
    workload: WorkloadConfig = WorkloadConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _weights_known(self) -> Self:
        if self.model.weights is None and (self.model.arch, self.dataset.name) != BUNDLED:
            raise ValueError("[model] weights: missing; only lenet5 on mnist has bundled weights")
        return self

    @model_validator(mode="after")
    def _precision_has_sample(self) -> Self:
        if self.run.precision is not None and self.faults.sampling == LIST:
            raise ValueError(
                "[run] precision: does not apply to a list, whose faults are no sample of others; remove it, or draw "
                "faults"
            )
        return self

    def to_json(self) -> dict[str, Any]:
        """The config as a campaign keeps it."""
        return self.model_dump(mode="json", exclude_none=True)


DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    section: {
        key: one.default for key, one in info.annotation.model_fields.items()
        if not one.is_required() and one.default is not None
    }
    for section, info in CampaignConfig.model_fields.items()
    if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
}  # fmt: skip
"""Section -> key -> the value that it has where a config does not say it, of keys that have one."""


def load_config(path: Path) -> CampaignConfig:
    """Read and check one TOML config.

    Raises:
        ConfigError: with every problem, a sentence each, that names the file and the field.
    """
    return parse_config(read_tables(path), source=str(path), folder=folder_of(path))


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, unchecked.

    Raises:
        ConfigError: it is not there, a pipe, larger than `MOST_BYTES`, or no TOML.
    """
    try:
        if path.is_fifo() and not path.is_relative_to("/dev"):  # nothing may ever be written into it
            raise ConfigError([f"{shown(path)}: is a pipe, not a file; give a TOML config"])
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([f"{shown(path)}: there is no such file; give the path of a TOML config"]) from None
    except (OSError, ValueError) as error:
        raise ConfigError([f"{shown(path)}: cannot be read as text ({error}); give a TOML config"]) from None
    if len(content) > MOST_BYTES:
        raise ConfigError([f"{shown(path)}: has more than {MOST_BYTES:,} bytes; give a TOML config, which is small"])
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError([f"{shown(path)}: its lists or tables are nested too deeply; give a TOML config"]) from None
    except ValueError as error:  # also of a number with thousands of digits
        raise ConfigError([f"{shown(path)}: not valid TOML ({error}); fix that line"]) from None


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
    """Check the tables of a config; `source` names it in messages, `folder` is where relative paths start.

    Raises:
        ConfigError: with every problem, a sentence each.
    """
    checked = check_config(tables, folder)
    if isinstance(checked, CampaignConfig):
        return checked
    raise ConfigError([f"{source}: {problem}" for problem in checked])


def check_config(tables: Mapping[str, Any], folder: Path | None = None) -> CampaignConfig | list[Problem]:
    """The config that the tables are, or everything that is wrong with them; `folder` as in `parse_config`."""
    dataset = tables.get("dataset")
    context = {"folder": folder, "dataset": dataset.get("name") if isinstance(dataset, dict) else None}
    try:
        return CampaignConfig.model_validate(tables, context=context)
    except ValidationError as error:
        return list(explain(error, CampaignConfig))
