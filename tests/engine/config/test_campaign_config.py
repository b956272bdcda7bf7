"""Configs: what is read, what is refused and in which words."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.config.campaign_config import CampaignConfig, load_config, load_configs, parse_config
from engine.errors import ConfigError
from tests.small_campaign import SMALL, write_config

MINIMAL: dict[str, Any] = {"name": "a", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}


def problems_of(tables: dict[str, Any], folder: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(tables, "x.toml", folder)
    return caught.value.problems


def test_defaults_are_the_designs() -> None:
    config = parse_config(MINIMAL, "x.toml")
    assert (config.faults.model, config.faults.sampling, config.faults.population) == ("bit_flip", "network", "x32")
    assert (config.faults.error_margin, config.faults.confidence, config.faults.seed) == (0.01, 0.99, 42)
    assert (config.workload.metric, config.workload.select) == ("el2n", "all")
    assert (config.workload.eps, config.workload.threshold) == (0.3, 5e-5)
    assert (config.run.device, config.run.tf32, config.run.memory) == ("auto", False, None)


def test_relative_paths_start_at_the_configs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "campaigns").mkdir()
    path = write_config(tmp_path / "campaigns")
    monkeypatch.chdir(tmp_path)
    assert load_config(path.relative_to(tmp_path)).dataset.path == tmp_path / "campaigns" / "set.npz"


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_config(MINIMAL | {"dataset": {"name": "mnist", "path": "~/d"}}, "x").dataset.path == tmp_path / "d"


def test_a_config_survives_its_own_dump(tmp_path: Path) -> None:
    """The worker and the store get the config so."""
    config = load_config(write_config(tmp_path))
    assert parse_config(json.loads(config.model_dump_json()), "dump") == config
    assert parse_config(config.model_dump(mode="json", exclude_none=True), "dump") == config


@pytest.mark.parametrize(
    ("memory", "size"), [("2GB", 2_000_000_000), ("1.5 GiB", 1_610_612_736), ("300KB", 300_000), (4096, 4096)]
)
def test_memory_is_a_size_with_its_unit(memory: object, size: int) -> None:
    assert parse_config(MINIMAL | {"run": {"memory": memory}}, "x").run.memory == size


def test_all_problems_are_reported_at_once_also_those_between_keys_and_of_files(tmp_path: Path) -> None:
    tables = {
        "name": "",
        "typo": 1,
        "model": {"arch": "resnet20"},
        "dataset": {"name": "npz", "path": "nowhere.npz", "mean": [0.5], "pth": "x"},
        "faults": {"list": "nowhere.csv", "cuont": 3, "error_margin": 0, "bits": [3, 32]},
        "workload": {"select": "top_n", "seed": 3, "metric": "l2"},
        "run": {"memory": "lots", "tf32": 1},
    }
    problems = problems_of(tables, tmp_path)
    assert [problem.removeprefix("x.toml: ") for problem in problems] == [
        "name: should not be empty, but is ''",
        "[model] weights: missing; only lenet5 on mnist has bundled weights, so give those of resnet20",
        f"[dataset] path: there is no file {tmp_path}/nowhere.npz; give an .npz file with images and labels",
        "[dataset] std: mean and std go together; give both or neither",
        "[dataset] pth: unknown key; did you mean path?",
        f"[faults] list: there is no file {tmp_path}/nowhere.csv; mend the path",
        "[faults] error_margin: should be greater than 0, but is 0",
        "[faults] bits, item 2: should be less than or equal to 31, but is 32",
        "[faults] cuont: unknown key; did you mean count?",
        '[workload] metric: there is no metric "l2"; use one of el2n, deepgini, cross_entropy, entropy, margin, '
        "least_confidence, centroid, kennard_stone, kennard_stone_correlation, pixel_entropy, kennard_stone_pixels, or "
        "package.module:function",
        "[workload] n: missing; select = \"top_n\" needs it",
        '[workload] seed: does not apply to select = "top_n"; remove it, or use select = "random"',
        "[run] tf32: should be true or false, but is 1",
        '[run] memory: write a size with its unit, for example "2GB"',
        "typo: unknown key; remove it, or use one of name, model, dataset, faults, workload, run",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "keys", "expected"),
    [
        ("model", {"arch": "vgg99"}, '[model] arch: there is no network "vgg99"; use one of lenet5, resnet9, resnet18, '
         "resnet20, vgg11, vgg16, mobilenetv2, torchvision:NAME or package.module:factory"),
        ("model", {"arch": 5}, "[model] arch: should be text in quotes, but is 5"),
        ("model", {"arch": "lenet5", "width": 0.5}, "[model] width: does not apply to lenet5; remove it, or use arch = "
         '"mobilenetv2"'),
        ("model", {"arch": "mobilenetv2", "width": 0, "weights": "w.pt"}, "[model] width: should be greater than 0, "
         "but is 0"),
        ("model", {"arch": "lenet5", "path": "nets"}, "[model] path: does not apply to lenet5; remove it, or use arch "
         '= "package.module:factory"'),
        ("dataset", {"name": "mnist", "mean": 0.1, "std": [1]}, "[dataset] mean: should be a list, but is 0.1"),
        ("dataset", {"name": "mnist", "mean": [1], "std": [0]},
         "[dataset] std, item 1: should be greater than 0, but is 0"),
        ("dataset", {"name": "mnist", "path": 3}, "[dataset] path: should be a path in quotes, but is 3"),
        ("faults", {"error_margin": 0}, "[faults] error_margin: should be greater than 0, but is 0"),
        ("faults", {"error_margin": "1%"}, "[faults] error_margin: should be a number, but is '1%'"),
        ("faults", {"error_margin": float("nan")}, "[faults] error_margin: should be a finite number, but is nan"),
        ("faults", {"confidence": 1}, "[faults] confidence: should be less than 1, but is 1"),
        ("faults", {"count": 1.5}, "[faults] count: should be a whole number, but is 1.5"),
        ("faults", {"count": 0}, "[faults] count: should be greater than 0, but is 0"),
        ("faults", {"layers": "fc1"}, "[faults] layers: should be a list, but is 'fc1'"),
        ("faults", {"bits": []}, "[faults] bits: should have at least one item, but is []"),
        ("faults", {"seed": -1}, "[faults] seed: should be greater than or equal to 0, but is -1"),
        ("faults", {"sampling": "list"}, '[faults] list: sampling = "list" and list = "faults.csv" go together; give '
         "both or neither"),
        ("faults", {"model": "stuck_at_1", "population": "x64"}, '[faults] population: "x64" does not apply to '
         'stuck_at_1; use "x32", or model = "stuck_at"'),
        ("faults", {"sampling": "list", "list": "a.csv", "count": 3}, "[faults] count: does not apply to a list; "
         "remove it, or filter the list by layers and bits"),
        *(
            ("faults", {"sampling": "exhaustive"} | keys, f'[faults] {", ".join(keys)}: does not apply to sampling = '
             f'"exhaustive"; remove it, or use sampling = {takers}')
            for keys, takers in (
                ({"count": 3}, '"network" or "proportional"'),
                ({"error_margin": 0.02}, '"network", "proportional", "layer", "layer_bit" or "data_aware"'),
                ({"seed": 1}, '"network", "proportional", "layer", "layer_bit" or "data_aware"'),
            )
        ),
        ("workload", {"select": "fraction"}, '[workload] fraction: missing; select = "fraction" needs it'),
        ("workload", {"select": "random"}, '[workload] fraction: select = "random" needs either n or fraction; give '
         "one of them"),
        ("workload", {"n": 5}, '[workload] n: does not apply to select = "all"; remove it, or use select = "top_n" or '
         '"random"'),
        ("run", {"device": "tpu"}, '[run] device: use "auto", "cpu", "cuda" or "cuda:1", not "tpu"'),
        ("run", {"memory": f"{'9' * 400}GB"}, "[run] memory: is larger than any memory; write how much this "
         "machine may spare"),
        ("run", {"memory": "0GB"}, "[run] memory: should be greater than 0, but is '0GB'"),
    ],
)  # fmt: skip
def test_a_problem_is_one_sentence_with_field_and_mend(table: str, keys: dict[str, Any], expected: str) -> None:
    assert problems_of(MINIMAL | {table: keys}) == [f"x.toml: {expected}"]


@pytest.mark.parametrize("arch", ["mobilenetv2", "torchvision:resnet18", "nets.small:make"])
def test_only_lenet5_has_bundled_weights(arch: str) -> None:
    assert problems_of(MINIMAL | {"model": {"arch": arch}}) == [
        f"x.toml: [model] weights: missing; only lenet5 on mnist has bundled weights, so give those of {arch}"
    ]


@pytest.mark.parametrize("arch", ["torchvision:", "torchvision:a:b", ":make", "nets:", "../nets:make", "nets:make()"])
def test_a_networks_name_is_a_name(arch: str) -> None:
    assert "there is no network" in problems_of(MINIMAL | {"model": {"arch": arch, "weights": "w.pt"}})[0]


def test_a_config_that_names_code_is_read_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text("raise SystemExit('was run')")
    (tmp_path / "w.pt").write_bytes(b"")
    path = write_config(tmp_path, model={"arch": "nets:make", "weights": "w.pt"})
    model = load_config(path).model
    assert (model.path, model.is_factory) == (tmp_path, True)
    wrong = write_config(tmp_path, "b.toml", model={"arch": "nets:make", "weights": "w.pt", "path": "nowhere"})
    with pytest.raises(ConfigError, match=r"path: there is no folder .*nowhere; give the one that holds the module"):
        load_config(wrong)


def test_a_table_that_is_none() -> None:
    assert problems_of(MINIMAL | {"faults": 3}) == ["x.toml: [faults]: should be a table, but is 3"]


def test_what_is_missing_is_named() -> None:
    assert problems_of({}) == [
        "x.toml: name: missing; add it",
        "x.toml: [model]: missing; add it",
        "x.toml: [dataset]: missing; add it",
    ]


def test_bundled_weights_are_never_used_for_other_images() -> None:
    with pytest.raises(ValueError, match="weights: missing"):
        CampaignConfig(**(MINIMAL | {"dataset": {"name": "fashion_mnist", "path": "d"}}))


def test_files_are_not_looked_for_in_a_config_that_is_not_read_from_disk() -> None:
    """One kept in a store may outlive its files."""
    assert parse_config(SMALL, "store").dataset.path == Path("set.npz")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no such file; give the path of a TOML config"),
        (b"name = \n", "not valid TOML (Invalid value (at line 1, column 8)); mend that line"),
        (b"\xff\xfe", "cannot be read as text"),
    ],
)
def test_a_file_that_is_no_config(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert len(caught.value.problems) == 1


def test_problems_of_several_configs_are_reported_together(tmp_path: Path) -> None:
    good, bad = write_config(tmp_path), tmp_path / "bad.toml"
    bad.write_text("")
    with pytest.raises(ConfigError) as caught:
        load_configs([bad, good, tmp_path / "nowhere.toml"])
    assert len(caught.value.problems) == 4


def test_the_small_campaigns_toml_says_what_it_should(tmp_path: Path) -> None:
    tables = tomllib.loads(write_config(tmp_path, faults={"count": 7, "bits": None}).read_text())
    assert tables == SMALL | {"faults": {"count": 7}}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a = " + b"[" * 100_000, "its lists or tables are nested too deeply"),
        (b"a = " + b"9" * 10_000, "not valid TOML"),
        (b"# " + b"x" * 10**6, "has more than 1,000,000 bytes; give a TOML config, which is small"),
        ("name = 'x'".encode("utf-16"), "cannot be read as text"),
    ],
    ids=["nested", "long number", "large", "utf-16"],
)
def test_a_config_without_end_is_a_sentence(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "x.toml")
    assert str(caught.value).startswith(f"{tmp_path}/x.toml: {expected}")
    assert len(str(caught.value)) < 400


def test_a_pipe_and_a_device_without_end_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.toml")
    with pytest.raises(ConfigError, match="is a pipe, not a file; give a TOML config"):
        load_config(tmp_path / "x.toml")
    with pytest.raises(ConfigError, match="more than 1,000,000 bytes"):
        load_config(Path("/dev/zero"))


def test_a_byte_order_mark_is_no_part_of_a_config(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_config(path).name == load_config(write_config(tmp_path, "y.toml")).name


@pytest.mark.parametrize(
    ("section", "table", "expected"),
    [
        (
            "dataset",
            {"name": "mnist", "path": "~nobody-of-that-name/d"},
            "path: ~nobody-of-that-name/d has no home folder",
        ),
        (
            "dataset",
            {"name": "npz", "path": "d"},
            "d: is a folder, not a file; give an .npz file with images and labels",
        ),
        (
            "dataset",
            {"name": "folder", "path": "x.csv"},
            "is a file; give a folder with a sub-folder of images per class",
        ),
        ("dataset", {"name": "npz", "path": "x" * 5000}, "cannot be read (File name too long); give an .npz file"),
        ("dataset", {"name": "npz", "path": "a\0b"}, "path: a path cannot hold the character 0; mend it"),
        ("faults", {"sampling": "list", "list": "d"}, "d: is a folder, not a file; mend the path"),
    ],
)
def test_paths_that_lead_to_something_else(tmp_path: Path, section: str, table: dict[str, Any], expected: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "x.csv").write_text("")
    (problem,) = problems_of(MINIMAL | {section: table} | {"model": {"arch": "lenet5", "weights": "x.csv"}}, tmp_path)
    assert expected in problem


@pytest.mark.parametrize(
    ("section", "table", "field"),
    [
        ("model", {"arch": "lenet5", "weights": "w.pt"}, "[model] weights: {}/w.pt"),
        ("model", {"arch": "fac:make", "weights": "/dev/null/w.pt"}, "[model] path: {}"),
        ("dataset", {"name": "npz", "path": "d.npz"}, "[dataset] path: {}/d.npz"),
        ("faults", {"sampling": "list", "list": "x.csv"}, "[faults] list: {}/x.csv"),
    ],
)
def test_a_path_that_is_not_utf_8_is_refused_by_its_field(
    tmp_path: Path, section: str, table: dict[str, Any], field: str
) -> None:
    """A campaign keeps its config as JSON, which cannot hold such a path."""
    problems = problems_of(MINIMAL | {section: table}, tmp_path / os.fsdecode(b"caf\xe9"))
    named = field.format(f"{tmp_path}/caf\\xe9")
    sentence = f"x.toml: {named} is not UTF-8, as which a campaign keeps its paths; rename"
    assert any(problem.startswith(sentence) for problem in problems), problems
    assert all(problem.isprintable() for problem in problems)


def test_a_folder_that_may_not_be_searched_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.stat", refuse)
    (problem,) = problems_of(MINIMAL | {"faults": {"sampling": "list", "list": "x.csv"}}, tmp_path)
    assert problem == f"x.toml: [faults] list: {tmp_path}/x.csv: cannot be read (Permission denied); mend the path"
