"""Arguments and streams that nobody means: a sentence and an exit code, whatever is given."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from dear_tui.query.book import PastQuery, QueryBook
from dear_tui.settings.settings_file import load_settings, remember, settings_path
from dear_tui.terminal.crash import record_crash
from engine.errors import InputError
from engine.paths import LONGEST_NAME_BYTES
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

HUGE = str(2**70)


@pytest.mark.parametrize(
    "command",
    [("show",), ("pause",), ("resume",), ("cancel",), ("retry",), ("delete", "--yes"), ("export",), ("verify",)],
)
def test_no_campaign_has_an_id_that_no_number_of_the_store_can_be(
    invoke: Invoke, finished_store: Path, command: tuple[str, ...]
) -> None:
    done = invoke(*command, HUGE, "--store", finished_store)
    assert (done.code, done.out) == (2, "")
    said = f"{finished_store}: there is no campaign {HUGE}; `dear-tui list` shows which there are"
    assert done.err == f"dear-tui: {said}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--limit", HUGE), "--limit"),
        (("--timeout", "inf"), "--timeout"),
        (("--timeout", "1e300"), "--timeout"),
        (("--memory", "-1"), "memory limit -1: write a size with its unit, such as 2GB"),
        (("--memory", "-"), "memory limit -: write a size with its unit, such as 2GB"),
        (("--memory", "99999TB"), "memory limit 99999TB: write a size with its unit, such as 2GB"),
    ],
)
def test_limits_of_a_query_that_cannot_be_are_said(
    invoke: Invoke, finished_store: Path, options: tuple[str, ...], said: str
) -> None:
    done = invoke("sql", "SELECT 1", *options, "--store", finished_store)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", [("sql", "SELECT 1"), ("export", "1"), ("export", "1", "--format", "csv")])
def test_a_name_that_is_too_long_is_said(
    invoke: Invoke, finished_store: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    output = tmp_path / ("x" * (LONGEST_NAME_BYTES + 1))
    done = invoke(*command, "--output", output, "--store", finished_store)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"dear-tui: {output}: cannot be written (File name too long); give --output another place\n"


@pytest.mark.parametrize("command", [("sql", "SELECT 1"), ("export", "1"), ("export", "1", "--format", "csv")])
@pytest.mark.parametrize("sign", ["x", "é"])
def test_the_longest_name_is_written(
    invoke: Invoke, finished_store: Path, tmp_path: Path, command: tuple[str, ...], sign: str
) -> None:
    output = tmp_path / (sign * (LONGEST_NAME_BYTES // len(sign.encode())))
    assert invoke(*command, "--output", output, "--store", finished_store).code == 0
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(
    ("command", "option"), [("export", "--output"), ("report", "--out"), ("compact", "--curve"), ("protect", "--curve")]
)
def test_a_link_that_leads_to_itself_is_said(
    invoke: Invoke, finished_store: Path, tmp_path: Path, command: str, option: str
) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    done = invoke(command, "1", option, loop, "--store", finished_store)
    assert (done.code, done.out) == (2, "")
    reason = f"{loop}: cannot be written (a link that leads to itself); give {option} another place"
    assert done.err == f"dear-tui: {reason}\n"


def test_a_folder_in_the_place_of_a_curve_is_said(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    curve = tmp_path / "curve.csv"
    (curve / "in it").mkdir(parents=True)
    done = invoke("protect", "1", "--curve", curve, "--store", finished_store)
    assert done.code == 2
    assert done.err.endswith(f"{curve}: cannot be written (Is a directory); give --curve another place\n")


def test_a_pipe_is_no_report_to_reproduce(invoke: Invoke, tmp_path: Path) -> None:
    pipe = tmp_path / "report.json"
    os.mkfifo(pipe)
    done = invoke("reproduce", pipe)
    assert (done.code, done.err) == (2, f"dear-tui: {pipe}: is a pipe, not a file; give a report.json\n")


def test_a_folder_in_the_place_of_an_exported_file_is_said(
    invoke: Invoke, finished_store: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    (output / "faults.csv" / "in it").mkdir(parents=True)
    done = invoke("export", "1", "--format", "csv", "--output", output, "--force", "--store", finished_store)
    assert done.code == 2
    assert done.err.endswith(f"{output}: cannot be written (Is a directory); give --output another place\n")


def test_a_query_that_is_no_text_is_said(invoke: Invoke, finished_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "dear-tui: SQL: the query has bytes that are no UTF-8; write it in UTF-8\n"
    assert invoke("sql", os.fsdecode(b"SELECT '\xff'"), "--store", finished_store).err == said
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"SELECT '\xff'"), encoding="utf-8"))
    done = invoke("sql", "-", "--store", finished_store)
    assert (done.code, done.err) == (2, "dear-tui: QUERY: standard input is no UTF-8; write the query in UTF-8\n")


@pytest.mark.parametrize(
    ("arguments", "streams", "code"),
    [
        ("list", ">&-", 0),
        ("list", ">&- 2>&- <&-", 0),
        ("sql 'SELECT 1'", ">&-", 0),
        ("sql -", "<&-", 2),
        ("delete 1", "<&-", 2),
        ("show 99", ">&- 2>/dev/full", 2),
        ("list", ">/dev/full", 1),
    ],
)
def test_streams_that_are_closed_or_full(finished_store: Path, arguments: str, streams: str, code: int) -> None:
    program = f"'{sys.executable}' -c 'import sys; from dear_tui.cli import main; sys.exit(main())'"
    command = f"{program} {arguments} --store '{finished_store}' {streams}"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert "nobody foresaw" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_below_the_output_is_said(finished_store: Path) -> None:
    program = [sys.executable, "-c", "import sys; from dear_tui.cli import main; sys.exit(main())"]
    command = [*program, "list", "--store", str(finished_store)]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "standard output: cannot be written (No space left on device); send it elsewhere, or free some space"
    assert (done.returncode, done.stderr) == (1, f"dear-tui: {said}\n")


def test_a_present_folder_that_was_removed_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"'{sys.executable}' -c 'import sys; from dear_tui.cli import main; sys.exit(main())'"
    command = f"rmdir '{gone}'; {program} estimate small.toml"
    done = subprocess.run(["sh", "-c", command], cwd=gone, capture_output=True, text=True, check=False)
    said = "the present folder cannot be used (No such file or directory); change to another one with `cd`, and run"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"dear-tui: {said} again\n")


def test_a_store_without_a_name_is_not_the_present_folder(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `--store "$STORE"` says where there is no such variable."""
    monkeypatch.chdir(tmp_path)
    for done in (invoke("worker", "start", "--store", ""), invoke("--store", "", "list")):
        assert (done.code, done.out) == (2, "")
        assert "it is empty; name a folder, or leave --store out" in done.err
    assert list(tmp_path.iterdir()) == []


def test_relative_paths_of_a_config_that_is_piped_in_start_at_the_present_folder(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    program = f"'{sys.executable}' -c 'import sys; from dear_tui.cli import main; sys.exit(main())'"
    command = f"cat '{config}' | {program} submit --no-start /dev/stdin --store store"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.fixture
def without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container has it that runs under a user id of its own."""

    def unknown(user: int) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    for name in ("HOME", "DEAR_STORE", *(name for name in os.environ if name.startswith("XDG_"))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


@pytest.mark.usefixtures("without_home")
def test_without_a_home_a_store_has_to_be_named(invoke: Invoke, finished_store: Path) -> None:
    refused = invoke("list")
    assert (refused.code, refused.out) == (3, "")
    assert refused.err == "dear-tui: there is no home folder to keep the store in; name another one with --store\n"
    assert invoke("list", "--store", finished_store).code == 0
    assert invoke("keys").code == 0


@pytest.mark.usefixtures("without_home")
def test_without_a_home_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    book = QueryBook()
    book.remember(PastQuery("now", "SELECT 1"))
    assert (book.past(), book.saved()) == ([], [])
    with pytest.raises(InputError, match="there is no home folder"):
        book.save("mine", "SELECT 1")
    with pytest.raises(InputError, match="there is no home folder"):
        remember(settings_path(), "theme", "nord")
    assert load_settings().theme is None
    assert "the details cannot be written" in record_crash(ValueError())
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_is_no_text_is_no_yes(
    invoke: Invoke, finished_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = TextIOWrapper(BytesIO(b"\xff\n"), encoding="utf-8")
    monkeypatch.setattr(answer, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", answer)
    done = invoke("delete", "1", "--store", finished_store)
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("nothing was deleted\n")
