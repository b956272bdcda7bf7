"""A campaign of every fault of a layer: the plain loop's severities, no interval, and the same after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.analysis.campaign_results import campaign_results
from engine.config.campaign_config import load_config
from engine.faults.group import FaultGroup
from engine.injection.exact.naive import naive_logits
from engine.running.campaign_size import DISK_BYTES_PER_FAULT
from engine.running.estimate import estimate
from engine.running.preparation import prepare
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.running.test_campaign import RESULTS, after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")

ALL = {"sampling": "exhaustive", "count": None, "layers": ["conv1"], "bits": [22, 29, 30, 31]}
FAULTS, IMAGES = 150 * 4, 12
ABORTED = """
import os, signal, sys
from pathlib import Path
from tests.engine.running.test_campaign import run

parts = []

def kill():
    parts.append(0)
    if len(parts) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
run(Path(sys.argv[1]), Path(sys.argv[2]), kill)
"""


def config(folder: Path, **changes: Any) -> Path:
    given: dict[str, Any] = {"faults": ALL, "workload": {"select": "top_n", "n": IMAGES}}
    return write_config(folder, **given | changes)


def results(store: Path) -> list[list[tuple[object, ...]]]:
    with SqlSession(store) as session:
        return [list(session.query(query)) for query in RESULTS]


def test_it_equals_the_plain_loop_and_leaves_nothing_open(tmp_path: Path) -> None:
    prepared = prepare(load_config(config(tmp_path)))
    faults = prepared.faults_in_execution_order()
    images = prepared.images(0, IMAGES)
    golden = prepared.plain(images).detach()
    logits = naive_logits(prepared.plain, faults, images, IMAGES)
    severity = np.stack([_severity(each, golden) for each in logits])
    status = run(config(tmp_path), tmp_path / "store")
    assert (status.state, status.faults, status.pairs) == ("finished", FAULTS, FAULTS * IMAGES)
    with Store.open(tmp_path / "store") as store:
        found = {(fault, image): code for fault, image, code in results(tmp_path / "store")[0]}
        ids = prepared.faults.fault_id[faults.positions]
        assert [[found[fault, image] for image in prepared.workload] for fault in ids.tolist()] == severity.tolist()

        critical = int((severity == 2).any(axis=1).sum())
        rates = store.rates(1)
        counts = rates.by_stratum(slice(0, 1), slice(None))
        share = counts.share_critical(rates.confidence)
        assert 0 < critical < FAULTS
        assert (share.low, share.value, share.high) == (critical / FAULTS,) * 3
        assert (rates.population.sum(), rates.faults.sum()) == (FAULTS, FAULTS)
        tables = campaign_results(store.summary(1), store.description(1))
        assert tables.table_one == store.table_one(1)
        assert tables.table_one.critical == pytest.approx(100 * (severity == 2).mean())
        assert tables.table_one.critical_faults == critical
        listed = store.faults(1, FaultGroup("conv1", 30), "fault_id")
        assert (listed.total, listed.tensor_index[1], listed.bit[0]) == (150, "(0, 0, 0, 1)", 30)


def _severity(logits: Any, golden: Any) -> np.ndarray:
    is_critical = (logits.argmax(1) != golden.argmax(1)) | ~logits.isfinite().all(1)
    return np.where(is_critical, 2, (logits != golden).any(1))


@pytest.mark.parametrize("goal", ["severities", "critical_faults"])
def test_it_goes_on_after_a_kill(tmp_path: Path, goal: str) -> None:
    path = config(tmp_path, run={"goal": goal}, name=goal)
    killed = subprocess.run(
        [sys.executable, "-c", ABORTED, path, tmp_path / "store"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    with Store.open(tmp_path / "store", read_only=True) as store:
        before = store.campaign(1)
    assert before.count() < before.pairs
    assert run(path, tmp_path / "store").state == "finished"
    assert run(path, tmp_path / "again").state == "finished"
    assert results(tmp_path / "store") == results(tmp_path / "again")


def test_stopping_and_going_on_gives_the_same(tmp_path: Path) -> None:
    assert run(config(tmp_path), tmp_path / "store", after(2)).state == "paused"
    assert run(config(tmp_path), tmp_path / "store").state == "finished"
    run(config(tmp_path), tmp_path / "again")
    assert results(tmp_path / "store") == results(tmp_path / "again")


def test_the_estimate_knows_what_the_list_takes(tmp_path: Path) -> None:
    few, many = (
        estimate(prepare(load_config(config(tmp_path, faults=ALL | {"layers": layers}))))
        for layers in (["conv1"], ["conv1", "conv2"])
    )
    assert (few.faults, few.population, many.faults) == (FAULTS, FAULTS, FAULTS + 2400 * 4)
    assert many.disk_bytes > DISK_BYTES_PER_FAULT * many.faults
    assert many.list_memory > 20 * few.list_memory / 2 > 0
    assert few.seconds > 0
