"""`dear-tui report` and `dear-tui reproduce`: what they print and write, and what they refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")


def test_it_prints_the_report(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("report", "1", "--store", finished_store)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "small: lenet5 on npz"
    assert "At a glance" in lines
    assert "How fragile?" in done.out
    assert max(map(len, lines[:20])) <= 100


@pytest.mark.parametrize(
    ("name", "begins"),
    [("csv", "network,whose,"), ("md", "# small"), ("latex", "\\begin{table}"), ("html", "<!DOCTYPE html>")],
)
def test_a_format_for_a_pipe(invoke: Invoke, finished_store: Path, name: str, begins: str) -> None:
    done = invoke("report", "1", "--format", name, "--store", finished_store)
    assert done.code == 0
    assert done.out.startswith(begins)


def test_numbers_for_scripts(invoke: Invoke, finished_store: Path) -> None:
    one = invoke("report", "1", "--json", "--budget", "3", "--fit-per-mbit", "500", "--store", finished_store)
    other = invoke(
        "report", "1", "--format", "json", "--budget", "3", "--fit-per-mbit", "500", "--store", finished_store
    )
    first, second = json.loads(one.out), json.loads(other.out)
    assert (first["fit_budget"], first["fit_per_mbit"]) == (3, 500)
    assert first["fit"] == second["fit"]


def test_files_are_named_and_kept(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    done = invoke("report", "1", "--out", tmp_path / "out", "--store", finished_store)
    assert done.code == 0
    files = done.out.splitlines()
    assert str(tmp_path / "out" / "report.html") in files
    again = invoke("report", "1", "--out", tmp_path / "out", "--store", finished_store)
    assert again.code == 2
    assert "are there already; add --force" in again.err
    assert invoke("report", "1", "--out", tmp_path / "out", "--force", "--store", finished_store).code == 0


def test_what_it_reports_reproduces(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    invoke("report", "1", "--out", tmp_path, "--format", "json", "--store", finished_store)
    done = invoke("reproduce", tmp_path / "report.json")
    assert done.code == 0
    assert "campaign 1, small: reproduces: the same pairs are critical" in done.out
    record = json.loads((tmp_path / "report.json").read_text())
    record["critical_pairs"]["sha256"] = "0"
    (tmp_path / "report.json").write_text(json.dumps(record))
    assert invoke("reproduce", tmp_path / "report.json").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("9",), 2, "there is no campaign 9"),
        (("nobody",), 2, "nobody: is neither the number of a campaign nor a study of this store"),
        (("1", "nobody"), 2, "1 nobody: give numbers of campaigns, or one study"),
        (("1", "--format", "svg"), 2, "--format svg: writes files; add --out DIR"),
        (("1", "--format", "doc"), 2, "'doc' is none of text, csv,"),
        (("1", "--json", "--format", "csv"), 2, "--json and --format csv: ask for one of the two"),
        (("1", "--budget", "-1"), 2, "--budget"),
        (("1", "--budget", "nan"), 2, "--budget"),
        (("1", "--fit-per-mbit", "inf"), 2, "--fit-per-mbit: inf is no rate; give one up to 1e+12"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    invoke: Invoke, finished_store: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = invoke("report", *arguments, "--store", finished_store)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err


def test_the_store_and_a_file_are_no_folders_for_it(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert (
        "is a file; give --out a folder"
        in invoke("report", "1", "--out", tmp_path / "file", "--store", finished_store).err
    )
    inside = invoke("report", "1", "--out", finished_store / "x", "--store", finished_store)
    assert "lies in the store" in inside.err
    assert not (finished_store / "x").exists()


def test_a_study_is_reported_by_its_name_or_its_file(invoke: Invoke, tmp_path: Path) -> None:
    config = write_config(tmp_path)
    config.write_text(f'{config.read_text()}\n[vary]\n"faults.seed" = [1, 2]\n')
    store = tmp_path / "store"
    assert invoke("study", config, "--no-start", "--store", store).code == 0
    none = invoke("report", "small", "--store", store)
    assert (none.code, "study small: none of its 2 campaigns is finished" in none.err) == (2, True)
    assert invoke("worker", "start", "--foreground", "--until-empty", "--store", store).code == 0
    for what in ("small", str(config)):
        done = invoke("report", what, "--store", store)
        assert done.code == 0, done.err
        assert done.out.startswith("Study small\n")
        assert "Several samples of faults" in done.out


def test_a_campaign_that_has_not_begun_has_no_report(invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("submit", write_config(tmp_path), "--no-start", "--store", tmp_path / "store").code == 0
    done = invoke("report", "1", "--store", tmp_path / "store")
    assert done.code == 2
    assert "campaign 1: is queued, and no image has met all faults yet" in done.err
