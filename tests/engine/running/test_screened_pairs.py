"""A campaign whose method leaves pairs out and audits some of them: run, stopped, continued, sealed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.injection.check.self_check import CheckResult
from engine.injection.outcomes import Audit
from engine.injection.recording import SeverityMatrix
from engine.severity import MASKED, SCREENED
from engine.store import Store
from tests.engine.running.test_campaign import after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from engine.injection.outcomes import Outcomes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def screening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair that turns out to be masked was screened, and the first one of each group was audited."""
    genuine = SeverityMatrix.outcomes

    def screened(self: SeverityMatrix, positions: np.ndarray) -> Outcomes:
        found = genuine(self, positions)
        severity = np.where(found.severity == MASKED, SCREENED, found.severity).astype(np.uint8)
        fault, image = (places[:1] for places in np.nonzero(severity == SCREENED))
        size = len(fault)
        audit = Audit(
            fault, image, np.full(size, 0.1, np.float32), *(np.zeros(size, kind) for kind in ("u2", "u1", "i1"))
        )
        return replace(found, severity=severity, audit=audit)

    monkeypatch.setattr(SeverityMatrix, "outcomes", screened)
    monkeypatch.setattr("engine.running.proof.check", lambda *_: CheckResult(0, 0, 0, 0, (), 0.0))


def test_pairs_that_were_left_out_are_counted_to_the_end(tmp_path: Path) -> None:
    store = tmp_path / "store"
    stopped = run(write_config(tmp_path), store, after(2))
    assert (stopped.state, stopped.count()) == ("paused", stopped.pairs_done)
    finished = run(write_config(tmp_path), store)
    assert (finished.state, finished.masked, finished.missed) == ("finished", 0, 0)
    assert finished.count() == finished.pairs == finished.screened + finished.non_critical + finished.critical
    assert finished.screened > finished.audited > stopped.audited > 0
    with Store.open(store) as opened:
        with opened.lock():
            assert opened.verify(1, lambda _done, _parts: None) == [], "each audited pair stands where it was screened"
        audit = opened.audit(1)
        assert audit is not None
        assert (audit.pairs.skipped, audit.pairs.audited) == (finished.screened, finished.audited)
        assert opened.curve(1).masked[-1] == 0


def test_parts_of_another_engine_go_on_where_the_pairs_that_were_run_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A screened pair has no severity that could be another one."""
    store = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.fingerprint.engine_version", lambda: "older")
        run(write_config(tmp_path), store, after(2))
    assert run(write_config(tmp_path), store).state == "finished"
