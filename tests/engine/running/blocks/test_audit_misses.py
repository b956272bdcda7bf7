"""A screened campaign whose theta is too large: the audit finds it out, and what was hidden is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from engine.injection.check.self_check import CheckResult
from engine.injection.screened import tables
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.running.test_campaign import Recorder, after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")

FAULTS = {"count": 300, "bits": [29, 30, 31]}
CRITICAL = "SELECT fault_id, image_id, prediction FROM critical ORDER BY ALL"
AUDIT = "SELECT fault_id, image_id, bound, prediction, severity, drawn_as FROM audit ORDER BY ALL"


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The self-check would find it first."""
    monkeypatch.setattr("engine.running.proof.check", lambda *_: CheckResult(0, 0, 0, 0, (), 0.0))


def screened(folder: Path) -> Path:
    """A third of all pairs are drawn."""
    config = {"method": "screened", "audit": 6e-4}
    return write_config(folder, run=config, faults=FAULTS)


@pytest.fixture
def misjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients say next to nothing, as on a network that is far from linear."""
    genuine = tables._shares

    def small(*args: Any) -> dict[int, tables._Shares]:
        found = genuine(*args)
        return {layer: tables._Shares(*(share * 1e-37 for share in shares)) for layer, shares in found.items()}

    monkeypatch.setattr(tables, "_shares", small)
    monkeypatch.setattr(tables, "_sizes", lambda *_: torch.zeros(()))


@pytest.fixture(autouse=True)
def many_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.analysis.audit.MOST_DRAWN", 0.3)


def answers(store: Path, query: str) -> list[tuple[Any, ...]]:
    with SqlSession(store) as session:
        return list(session.query(query))


def numerics(store: Path) -> dict[str, str]:
    with Store.open(store, read_only=True) as opened:
        found: dict[str, str] = opened.description(1)["numerics"]
        return found


@pytest.mark.usefixtures("misjudged")
def test_a_theta_that_hides_critical_pairs_falls(tmp_path: Path) -> None:
    exact = tmp_path / "exact"
    run(write_config(tmp_path, faults=FAULTS), exact)
    store, recorder = tmp_path / "store", Recorder()
    finished = run(screened(tmp_path), store, recorder=recorder)
    assert finished.state == "finished"
    assert finished.missed == 0, "a layer in which something was missed is computed again"
    assert any("computed again" in note and "audit: fault" in note for note in recorder.notes)
    fallen = {name: float(value) for name, value in numerics(store).items() if name.startswith("theta of layer")}
    assert fallen
    assert all(theta < 0.3 for theta in fallen.values())
    assert answers(store, CRITICAL) == answers(exact, CRITICAL)
    with Store.open(store) as opened:
        with opened.lock():
            assert opened.verify(1, lambda _done, _parts: None) == []
        assert opened.campaign(1).count() == finished.pairs
        audit = opened.audit(1)
        assert audit is not None
        assert (audit.pairs.missed, audit.faults.missed) == (0, 0)
        assert audit.pairs.audited > 0


@pytest.mark.usefixtures("misjudged")
def test_stopped_and_resumed_it_goes_on_with_the_theta_that_it_had(tmp_path: Path) -> None:
    """And with what was drawn: the same as in one go."""
    whole, store = tmp_path / "whole", tmp_path / "store"
    run(screened(tmp_path), whole)
    stops = 0
    while run(screened(tmp_path), store, after(16)).state != "finished":
        stops += 1
        assert stops < 50
    assert stops > 2
    assert numerics(store) == numerics(whole)
    for query in (CRITICAL, AUDIT, "SELECT * FROM fault_summary ORDER BY ALL"):
        assert answers(store, query) == answers(whole, query)


def test_a_theta_that_is_small_enough_is_left_alone(tmp_path: Path) -> None:
    store, recorder = tmp_path / "store", Recorder()
    assert run(screened(tmp_path), store, recorder=recorder).state == "finished"
    assert not [note for note in recorder.notes if "audit" in note]
    assert not [name for name in numerics(store) if name.startswith("theta of layer")]
