"""The planner's process: what it reports, in which order, and that it can be ended."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.planner.process import Planner
from dear_tui.planner.reports import Order
from engine.store import Store
from tests.dear_tui.worker.conftest import until
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def one_thread_in_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def order(folder: Path, store: str = "", again: bool = False, **changes: Any) -> Order:
    tables = tomllib.loads(write_config(folder, **changes).read_text())
    return Order(tables, str(folder), store, again)


def test_an_estimate_comes_in_steps(tmp_path: Path) -> None:
    reports = list(Planner(order(tmp_path)).reports())
    steps = [report.value for report in reports if report.kind == "step"]
    assert "ranking the images: 0 of 40" in steps
    assert "measuring some faults ..." in steps
    assert [report.kind for report in reports if report.kind != "step"] == ["material", "images", "estimate"]
    by_kind = {report.kind: report.value for report in reports}
    assert by_kind["material"]["images"] == by_kind["images"] == IMAGES
    assert [name for name, _ in by_kind["material"]["layers"]] == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert by_kind["estimate"]["faults"] == FAULTS
    assert by_kind["estimate"]["seconds"] > 0


def test_what_is_wrong_is_a_report(tmp_path: Path) -> None:
    *_, last = Planner(order(tmp_path, faults={"layers": ["conv9"]})).reports()
    assert last.kind == "error"
    assert last.value.startswith("[faults] layers: 'conv9' matches no layer")


def test_submitting_is_what_the_command_does(tmp_path: Path) -> None:
    """Also with the worker that it starts; a second time that one finds the campaign, unless asked to begin anew."""
    path = tmp_path / "store"
    *_, last = Planner(order(tmp_path, str(path))).reports()
    store = Store.open(path, read_only=True)
    assert store.worker().pid
    assert (last.kind, last.value) == ("submitted", {"campaign": 1, "said": []}), "the list shows it"
    until(lambda: store.campaign(1).state == "finished", "the campaign's end")
    *_, last = Planner(order(tmp_path, str(path))).reports()
    assert last.value["campaign"] == 2
    assert last.value["said"][0].startswith("campaign 1 of this config is finished; unless something has changed")
    until(lambda: store.campaign(2).state == "cancelled", "the worker's finding")
    assert store.campaign(2).error == f"it is campaign 1 ({store.campaign(1).name}), which is finished"
    *_, last = Planner(order(tmp_path, str(path), again=True)).reports()
    assert last.value["campaign"] == 3
    until(lambda: store.campaign(3).state == "finished", "the third campaign's end")


def test_ended_it_reports_nothing_more_than_its_end(tmp_path: Path) -> None:
    planner = Planner(order(tmp_path))
    reports = planner.reports()
    assert next(reports).kind == "step"
    planner.end()
    rest = list(reports)
    assert rest[-1].value == "trying the config out ended with exit code -9"


CRASHES = """
import os, sys
def make():
    print("first words", file=sys.stderr)
    print("x" * 100_000, file=sys.stderr)
    print("terminate called: out of registers", file=sys.stderr, flush=True)
    os._exit(3)
"""


def test_the_last_words_of_one_that_crashes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(CRASHES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    *_, last = Planner(order(tmp_path, model={"arch": "mine:make"})).reports()
    said = "trying the config out ended with exit code 3: terminate called: out of registers"
    assert (last.kind, last.value) == ("error", said)


def test_the_terminal_that_starts_one_imports_no_torch() -> None:
    code = (
        "import sys, dear_tui.planner.process, dear_tui.form.check, engine.config.fields as c; c.config_fields(); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
