"""What one is used to in a shell: options before the command, queries that begin with a comment, `| head`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke


@pytest.mark.parametrize("command", [["list"], ["show", "1"], ["sql", "SELECT 1 AS one"], ["worker", "status"]])
def test_the_store_may_stand_before_the_command(invoke: Invoke, finished_store: Path, command: list[str]) -> None:
    before, after = invoke("--store", finished_store, *command), invoke(*command, "--store", finished_store)
    assert (before.code, before.out) == (after.code, after.out)
    assert before.code == 0


def test_the_store_after_the_command_counts_more(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    done = invoke("--store", tmp_path / "another", "list", "--store", finished_store)
    assert "small" in done.out


@pytest.mark.parametrize("query", ["-- hi\nSELECT 5 AS x", "--SELECT 4\nSELECT 5 AS x", "/* hi */ SELECT 5 AS x"])
def test_a_query_may_begin_with_a_comment(invoke: Invoke, finished_store: Path, query: str) -> None:
    done = invoke("sql", query, "--store", finished_store)
    assert (done.code, done.out) == (0, "x\n5\n")


COMMANDS = [
    ["list"],
    ["list", "--json"],
    ["show", "1"],
    ["show", "1", "--json"],
    ["sql", "SELECT * FROM severity, range(1000)"],
    ["sql", "--format", "json", "SELECT * FROM severity"],
    ["sql", "--format", "table", "SELECT * FROM severity"],
    ["verify"],
    ["worker", "status"],
    ["keys"],
    ["doctor"],
    ["--help"],
    ["--version"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_pipe_that_is_closed_ends_a_command_silently_and_well(finished_store: Path, command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from dear_tui.cli import main; sys.exit(main())", *command],
        env={**os.environ, "DEAR_STORE": str(finished_store)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
