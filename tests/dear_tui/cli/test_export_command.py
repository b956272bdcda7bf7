"""`dear-tui export`: where files go, what is never written over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb
import pytest

from engine.config.campaign_config import load_config
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.store import Store
from engine.store.export import estimate_csv
from engine.store.schema import VIEWS
from engine.units import byte_count
from tests.small_campaign import FAULTS, IMAGES, write_config
from tests.small_disk import small_disk
from tests.test_sample_configs import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

COUNT = "SELECT count(*) FROM"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def unfinished_store(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("unfinished")
    execute(prepare(load_config(write_config(folder))), folder / "store", Silent(), lambda: True)
    return folder / "store"


def contents(store: Path) -> dict[Path, bytes]:
    """Every file of a store but those that SQLite makes for each of its readers."""
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and "sqlite-" not in path.name}


def test_a_finished_campaign_is_one_duckdb_file_here(invoke: Invoke, finished_store: Path, here: Path) -> None:
    done = invoke("export", "1", "--store", finished_store)
    assert (done.code, done.out, done.err) == (0, "campaign-1.duckdb\n", "")
    with duckdb.connect(str(here / "campaign-1.duckdb"), read_only=True) as client:
        assert client.sql(f"{COUNT} severity").fetchall() == [(FAULTS * IMAGES,)]
    assert [path.name for path in here.iterdir()] == ["campaign-1.duckdb"]


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_tables_are_a_folder_of_files(invoke: Invoke, finished_store: Path, here: Path, file_format: str) -> None:
    done = invoke("export", "1", "--format", file_format, "--output", here / "out", "--store", finished_store)
    assert (done.code, done.out) == (0, f"{here}/out\n")
    assert duckdb.execute(f"{COUNT} '{here}/out/severity.{file_format}'").fetchall() == [(FAULTS * IMAGES,)]
    assert {path.stem for path in (here / "out").iterdir()} == set(VIEWS)
    assert [path.name for path in here.iterdir()] == ["out"]


def test_csv_says_beforehand_how_large_it_is(invoke: Invoke, finished_store: Path, here: Path) -> None:
    done = invoke("export", "1", "--format", "csv", "--store", finished_store)
    first, *_ = done.err.splitlines()
    assert f"of it severity.csv ({FAULTS * IMAGES:,} rows); --view VIEW writes single views" in first
    with Store.open(finished_store, read_only=True) as store:
        sizes = estimate_csv(store, 1)
    for view, size in sizes.items():
        text = (here / "campaign-1" / f"{view}.csv").read_text()
        assert text.count("\n") - 1 == size.rows, view
        assert len(text) / 3 - 200 < size.bytes < 3 * len(text), view
    assert first.startswith(f"note: about {byte_count(sum(size.bytes for size in sizes.values()))}; ")


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_only_the_views_that_are_asked_for_are_written(
    invoke: Invoke, finished_store: Path, here: Path, file_format: str
) -> None:
    command = ("export", "1", "--format", file_format, "--store", finished_store, "--output")
    done = invoke(*command, "out", "--view", "layers", "--view", "faults")
    assert done.code == 0
    assert done.err.splitlines()[-2:] == [f"faults.{file_format}", f"layers.{file_format}"]
    assert {path.name for path in (here / "out").iterdir()} == {f"faults.{file_format}", f"layers.{file_format}"}
    mistyped = invoke(*command, "other", "--view", "fault")
    said = "dear-tui: --view fault: there is no such view; did you mean faults?\n"
    assert (mistyped.code, mistyped.err) == (2, said)
    in_one = invoke("export", "1", "--view", "faults", "--store", finished_store)
    assert (in_one.code, in_one.err.count("\n")) == (2, 1)
    assert "add --format parquet or csv" in in_one.err
    assert [path.name for path in here.iterdir()] == ["out"]


def test_what_is_there_of_an_unfinished_campaign_is_exported_with_a_note(
    invoke: Invoke, unfinished_store: Path, here: Path
) -> None:
    refused = invoke("export", "1", "--store", unfinished_store)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "dear-tui: campaign 1 is paused, and only a finished one has a DuckDB file; run it to its end, or export what "
        "is there with --format parquet or csv\n"
    )
    assert list(here.iterdir()) == []
    done = invoke("export", "1", "--format", "parquet", "--store", unfinished_store)
    assert (done.code, done.out) == (0, "campaign-1\n")
    assert done.err.startswith("note: campaign 1 is paused, with ")
    assert 0 < duckdb.execute(f"{COUNT} '{here}/campaign-1/severity.parquet'").fetchall()[0][0] < FAULTS * IMAGES


@pytest.mark.parametrize("file_format", ["duckdb", "parquet"])
def test_nothing_is_written_over_unless_forced(
    invoke: Invoke, finished_store: Path, here: Path, file_format: str
) -> None:
    command = ("export", "1", "--format", file_format, "--output", "out", "--store", finished_store)
    assert invoke(*command).code == 0
    out = here / "out"
    file = out if file_format == "duckdb" else out / "faults.parquet"
    file.write_text("mine")
    again = invoke(*command)
    assert (again.code, again.out) == (2, "")
    assert again.err == "dear-tui: out: is there already; give --output another name, or write over it with --force\n"
    assert file.read_text() == "mine"
    if out.is_dir():
        (out / "notes.txt").write_text("mine")
    assert invoke(*command, "--force").code == 0
    assert file.read_bytes() != b"mine"
    if out.is_dir():
        assert (out / "notes.txt").read_text() == "mine", "what is not of the export stays"
    assert [path.name for path in here.iterdir()] == ["out"]


def test_a_file_does_not_become_a_folder_nor_a_folder_a_file(invoke: Invoke, finished_store: Path, here: Path) -> None:
    (here / "file").write_text("mine")
    (here / "folder").mkdir()
    for name, file_format, said in [
        ("file", "csv", "is a file, but csv is written to a folder"),
        ("folder", "duckdb", "is a folder, but duckdb is written to a file"),
    ]:
        command = ("export", "1", "--format", file_format, "--output", name, "--force", "--store", finished_store)
        done = invoke(*command)
        assert (done.code, done.out) == (2, "")
        assert done.err == f"dear-tui: {name}: {said}; give --output another name\n"
    assert (here / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["out.duckdb", "campaigns/campaign=000001/faults.parquet", "state.sqlite"])
@pytest.mark.parametrize("command", [("export", "1", "--force"), ("sql", "SELECT 1")])
def test_the_store_is_no_place_for_other_files(
    invoke: Invoke, unfinished_store: Path, command: tuple[str, ...], name: str
) -> None:
    before = contents(unfinished_store)
    done = invoke(*command, "--output", unfinished_store / name, "--store", unfinished_store)
    assert (done.code, done.out) == (2, "")
    assert "lies in the store" in done.err
    assert done.err.count("\n") == 1
    assert contents(unfinished_store) == before


ANY_FORMAT = [
    *((("export", "1", "--format"), kind) for kind in ("duckdb", "parquet", "csv")),
    *((("sql", "FROM faults", "--format"), kind) for kind in ("csv", "json", "table", "parquet")),
]


@pytest.mark.parametrize("name", ["a?b", "a\\b", "*[x]{1,2}", "campaign=7", "it's", "two\nlines"])
@pytest.mark.parametrize(("command", "kind"), ANY_FORMAT)
def test_a_folder_of_any_name_can_be_written_to(
    invoke: Invoke, finished_store: Path, here: Path, command: tuple[str, ...], kind: str, name: str
) -> None:
    (here / name).mkdir()
    output = here / name / f"out?*.{kind}"
    done = invoke(*command, kind, "--output", output, "--store", finished_store)
    assert done.code == 0, done.err
    assert [path.name for path in (here / name).iterdir()] == [output.name]
    assert list(here.iterdir()) == [here / name]


@pytest.mark.parametrize(("command", "kind"), ANY_FORMAT)
def test_a_path_that_is_not_utf_8_is_refused_before_anything_is_made(
    invoke: Invoke, finished_store: Path, here: Path, command: tuple[str, ...], kind: str
) -> None:
    folder = here / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    done = invoke(*command, kind, "--output", folder / f"out.{kind}", "--store", finished_store)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "out." in done.err
    assert "its path is not UTF-8, as DuckDB needs it; give --output another place" in done.err
    assert list(folder.iterdir()) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 KB."""
    with small_disk(tmp_path / "disk", "16k") as folder:
        yield folder


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("export", "1", "--format", "duckdb"), "the export cannot be written there (No space left on device)"),
        (("export", "1", "--format", "parquet"), "the export cannot be written there (No space left on device)"),
        (("export", "1", "--format", "csv"), "the export cannot be written there (No space left on device)"),
        (("sql", "FROM severity", "--format", "csv"), "cannot be written (No space left on device)"),
        (("sql", "FROM range(100000)", "--format", "parquet"), "the result cannot be written (No space"),
    ],
)
def test_a_full_disk_is_said_in_a_sentence_and_left_as_it_was(
    invoke: Invoke, finished_store: Path, tiny_disk: Path, command: tuple[str, ...], said: str
) -> None:
    done = invoke(*command, "--output", tiny_disk / "out", "--store", finished_store)
    assert done.code in (1, 2)
    *_, last = done.err.splitlines()
    assert last.startswith("dear-tui: ")
    assert said in last
    assert str(tiny_disk) in last or command[0] == "sql"
    assert list(tiny_disk.iterdir()) == []


def test_a_folder_that_is_not_there_and_a_campaign_that_is_not(
    invoke: Invoke, finished_store: Path, here: Path
) -> None:
    done = invoke("export", "1", "--output", here / "gone" / "x", "--store", finished_store)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"there is no folder {here}/gone" in done.err
    assert "there is no campaign 9" in invoke("export", "9", "--store", finished_store).err
    assert "there is no campaign 1" in invoke("export", "1", "--store", here / "nowhere").err
    assert list(here.iterdir()) == []
