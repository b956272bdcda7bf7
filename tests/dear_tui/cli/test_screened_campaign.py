"""What the commands say of a campaign of which pairs were screened, dropped and audited."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dear_tui.cli.listing import campaign_table
from dear_tui.cli.run import progress_numbers
from engine.running.progress import Progress
from engine.severity import COUNTS
from tests.dear_tui.memory_store import make_status
from tests.engine.store.stored_campaigns import filled_store, partly_run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Campaign 1 is finished."""
    path = tmp_path_factory.mktemp("screened") / "store"
    opened, campaign, _ = filled_store(path, truth=partly_run())
    with opened.lock():
        opened.writer(campaign).seal()
    opened.close()
    return path


def test_list_and_show_count_every_pair(invoke: Invoke, store: Path) -> None:
    (listed,) = json.loads(invoke("list", "--json", "--store", store).out)
    shown = json.loads(invoke("show", "1", "--json", "--store", store).out)
    for found in (listed, shown):
        assert sum(found[name] for name in COUNTS) == found["pairs"] == 180
        assert (found["screened"] > found["audited"] > found["missed"], found["missed"]) == (True, 1)
    tables = shown["tables"]
    assert tables["audit"]["pairs"]["missed"] == 1
    assert tables["audit"]["pairs"]["missed_at_most"] > 1
    shares = ("masked", "non_critical", "critical", "screened", "dropped")
    assert sum(tables["table_one"][name] for name in shares) == pytest.approx(100)


def test_show_says_what_was_screened_and_what_its_audit_bounds(invoke: Invoke, store: Path) -> None:
    text = invoke("show", "1", "--store", store).out
    for line in ("masked, at least", "non-critical, at least", "screened: called safe, not run", "not critical: these"):
        assert line in text
    assert "What screening misses (95 % upper bounds, one-sided)" in text
    rows = invoke("show", "1", "--format", "csv", "--store", store).out.splitlines()
    assert "unit,skipped,skipped_percent,audited,missed,missed_at_most,missed_at_most_percent" in rows


def test_pairs_that_were_not_run_have_a_column_where_there_are_some() -> None:
    run, screened = make_status(1, done=3), make_status(2, done=3, screened=7)
    assert "screened" not in [column.name for column in campaign_table([run], []).columns]
    table = campaign_table([run, screened], [])
    assert [column.name for column in table.columns][-2:] == ["critical", "screened"]
    assert [row[-1] for row in table.rows] == [0, 7]


def test_progress_says_what_is_skipped_and_audited() -> None:
    progress = Progress(100, 200, 5.0, 20.0, masked=10, non_critical=5, critical=5)
    assert "screened" not in " ".join(progress_numbers(progress))
    words = " ".join(progress_numbers(replace(progress, screened=80, audited=8, missed=1)))
    assert words.endswith("critical 5 screened 80 audited 8 missed 1")
