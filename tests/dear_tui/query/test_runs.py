"""The session behind the SQL screen: what a query may take of the program it runs in."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dear_tui.query.memory import SLACK, limit_memory
from dear_tui.query.runs import LateSession, Run
from engine.errors import InputError
from tests.dear_tui.sql_store import make_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to what it may take")


@pytest.mark.parametrize("value", ["repeat('x', 1500000000)", "range(0, 200000000)"])
def test_a_single_value_is_held_to_the_memory_too(tmp_path: Path, value: str) -> None:
    session = LateSession(make_store(tmp_path / "store"), memory_limit="100MB")
    with pytest.raises(InputError, match="SQL: the query needs more memory than it may take"):
        Run(f"SELECT {value} AS huge").read(session, print, print)
    pages: list[object] = []
    Run("SELECT 1 AS one").read(session, pages.append, print)
    assert len(pages) == 1, "and the next query is answered"


@pytest.mark.parametrize("process", ["dear_tui.worker", "dear_tui.planner"])
def test_what_the_screens_start_may_take_all_there_is(tmp_path: Path, process: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit_memory(0)
    report_limit = (
        f"import resource, {process}.__main__ as process\n"
        "def end(*_): print(resource.getrlimit(resource.RLIMIT_DATA)[0]); raise SystemExit\n"
        "process.Worker = process.Order = type('Ends', (), {'__init__': end, 'from_line': end})\n"
        f"process.main(*[[{str(tmp_path)!r}]] * {process.endswith('worker'):d})"
    )
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] >= SLACK
    command = [sys.executable, "-c", report_limit]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.stdout == f"{most}\n", "what a planner prints goes to its errors"
