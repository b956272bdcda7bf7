"""A query of `dear-tui sql` ends when it is told to, wherever DuckDB is."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.dear_tui.worker.conftest import DEADLINE
from tests.endless_queries import ENDLESS, ENDLESS_VALUE

pytestmark = pytest.mark.usefixtures("one_thread")


PROGRAM = Path(sys.executable).with_name("dear-tui")


@pytest.mark.parametrize("query", [ENDLESS, ENDLESS_VALUE])
def test_ctrl_c_cancels_a_query_that_would_run_on(finished_store: Path, tmp_path: Path, query: str) -> None:
    command: list[str | Path] = [PROGRAM, "sql", "--store", finished_store]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "SELECT 1"], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    until_it_asks = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    command += [query, "--output", tmp_path / "rows.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while computing_seconds(process.pid) < 2 * until_it_asks:  # that is well within the query
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"ended with {process.wait(timeout=0.05)}")
        process.send_signal(signal.SIGINT)
        try:
            assert process.communicate(timeout=DEADLINE) == ("", "")
        finally:
            process.kill()  # which would otherwise be waited for
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


def computing_seconds(pid: int) -> float:
    """What a process has had of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_time_limit_holds_within_a_single_value(finished_store: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [PROGRAM, "sql", "--store", finished_store, "--timeout", "0.5"]
    command += [ENDLESS_VALUE, "--format", "parquet", "--output", tmp_path / "rows.parquet"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "dear-tui: SQL: the query takes longer than 0.5 s\n"
    assert not list(tmp_path.iterdir())


def test_rows_that_are_read_late_are_not_cut_off(finished_store: Path) -> None:
    command: list[str | Path] = [PROGRAM, "sql", "--store", finished_store, "--timeout", "1"]
    command += ["SELECT repeat('x', 100) FROM range(3000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(4)  # it waits for us, who have read nothing, longer than it waits for DuckDB
        rows, talk = process.communicate()
    assert (process.returncode, rows.count(b"\n"), talk) == (0, 3001, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to what it may take")
@pytest.mark.parametrize("value", ["repeat('x', 1500000000)", "range(0, 200000000)", "bitstring('1', 1000000000)"])
def test_a_single_value_is_held_to_the_memory_too(finished_store: Path, tmp_path: Path, value: str) -> None:
    """In a process of its own: memory that another has freed before would count as room."""
    command: list[str | Path] = [PROGRAM, "sql", f"SELECT {value} AS huge", "--memory", "100MB"]
    command += ["--store", finished_store, "--output", tmp_path / "rows.csv"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    sentence = "the query needs more memory than it may take; ask for less, or raise the limit"
    assert ended.stderr == f"dear-tui: SQL: {sentence}\n"
    assert not list(tmp_path.iterdir())
