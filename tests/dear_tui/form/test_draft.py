"""Texts and tables, there and back; samples; paths that are completed."""

import os
import tomllib
from pathlib import Path

import pytest

from dear_tui.form.check import check, write_toml
from dear_tui.form.draft import Draft
from dear_tui.form.sources import FIRST, SAMPLES, complete, from_sample, sample_names
from engine.config.campaign_config import load_config, parse_config
from engine.config.fields import config_fields
from tests.small_campaign import write_config

FIELDS = config_fields()


@pytest.mark.parametrize("name", sample_names())
def test_a_sample_survives_the_form(name: str) -> None:
    """The texts stand for the same config; what is left empty is the default."""
    start = from_sample(name)
    draft = Draft.of(start.tables, FIELDS, start.folder)
    assert parse_config(draft.tables(FIELDS), "form") == parse_config(start.tables, "file")


def test_a_stored_campaign_survives_the_form(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path))
    draft = Draft.of(config.to_json(), FIELDS, tmp_path)
    assert parse_config(draft.tables(FIELDS), "form") == config


def test_the_first_sample_needs_nothing_and_comes_with_the_package() -> None:
    assert sample_names()[0] == FIRST
    assert SAMPLES.is_relative_to(Path(__file__).parents[3] / "dear_tui")
    draft = Draft.of(from_sample(FIRST).tables, FIELDS, Path("/"))
    checked = check(draft, FIELDS, None, None)
    assert (checked.problems, checked.error, checked.size) == ({}, "", None)


@pytest.mark.parametrize(
    ("place", "text", "value"),
    [
        (("faults", "bits"), "30, 31,", [30, 31]), (("faults", "bits"), "a,1", ["a", 1]),
        (("faults", "bits"), " ", None), (("run", "memory"), "4096", 4096),
        (("faults", "count"), "10", 10), (("faults", "count"), "1.5", "1.5"), (("run", "tf32"), "true", True),
        (("faults", "error_margin"), "1e-2", 0.01), (("run", "memory"), "2GB", "2GB"),
        (("faults", "layers"), "fc1, layer3.*", ["fc1", "layer3.*"]), (("workload", "center"), "x", "x"),
    ],
)  # fmt: skip
def test_texts_become_values_and_stay_texts_where_they_are_none(
    place: tuple[str, str], text: str, value: object
) -> None:
    tables = Draft(Path("/"), {place: text}).tables(FIELDS)
    assert tables.get(place[0], {}).get(place[1]) == value


def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for name in ("a.toml", "b.toml", ".hidden"):
        (tmp_path / name).touch()
    assert complete("w", tmp_path) == "weights/"
    assert complete("b", tmp_path) == "b.toml"
    assert complete(f"{tmp_path}/", tmp_path) == f"{tmp_path}/a.toml"
    assert complete(".h", tmp_path) == ".hidden"
    for nothing in ("", "x", "b.toml", "nowhere/x"):
        assert complete(nothing, tmp_path) is None


def test_a_config_saved_elsewhere_finds_its_files_all_the_same(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path))
    draft = Draft.of(tomllib.loads((tmp_path / "small.toml").read_text()), FIELDS, tmp_path)
    (tmp_path / "other").mkdir()
    for path in (tmp_path / "same.toml", tmp_path / "other" / "saved.toml"):
        write_toml(path, draft, draft.tables(FIELDS), FIELDS)
        assert load_config(path) == config
    assert tomllib.loads((tmp_path / "same.toml").read_text())["dataset"]["path"] == "set.npz"


def test_a_config_that_is_written_over_keeps_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "# of mine\nname = 'a'  # the first\n\n[faults]\ncount = 0x10  # few\nseed = 1\n\n[run]\ntf32 = true\n"
    )
    draft = Draft.of({}, FIELDS, tmp_path)
    tables = {"name": "b", "faults": {"count": 16, "bits": [30]}, "workload": {"n": 5}}
    write_toml(path, draft, tables, FIELDS)
    text = path.read_text()
    assert tomllib.loads(text) == tables
    for kept in ("# of mine\n", "  # the first\n", "count = 0x10  # few\n"):
        assert kept in text
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("there", [b"[faults", b"\xff", b"faults = 3\n"])
def test_what_is_no_config_is_written_over(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(there)
    tables = {"faults": {"count": 16}, "run": {"tf32": True}}
    write_toml(path, Draft.of({}, FIELDS, tmp_path), tables, FIELDS)
    assert tomllib.loads(path.read_text()) == tables


def test_a_number_of_another_type_is_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[run]\ncheck = 1\ntf32 = 1\n")
    write_toml(path, Draft.of({}, FIELDS, tmp_path), {"run": {"check": 1.0, "tf32": True}}, FIELDS)
    assert path.read_text() == "[run]\ncheck = 1.0\ntf32 = true\n"


def test_a_link_that_is_written_over_stays_one_and_a_pipe_is_not_read(tmp_path: Path) -> None:
    tables = {"run": {"tf32": True}}
    kept, link, pipe = tmp_path / "dotfiles.toml", tmp_path / "mine.toml", tmp_path / "pipe.toml"
    kept.write_text("# mine\n")
    link.symlink_to(kept)
    os.mkfifo(pipe)
    for path in (link, pipe):
        write_toml(path, Draft.of({}, FIELDS, tmp_path), tables, FIELDS)
        assert tomllib.loads(path.read_text()) == tables
    assert link.is_symlink()
    assert kept.read_text().startswith("# mine\n")


def test_what_cannot_be_written_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("# mine\n")
    tables = {"dataset": {"path": os.fsdecode(b"\xff.npz")}}
    with pytest.raises(UnicodeEncodeError):
        write_toml(path, Draft.of({}, FIELDS, tmp_path), tables, FIELDS)
    assert path.read_text() == "# mine\n"
    assert list(tmp_path.iterdir()) == [path]
