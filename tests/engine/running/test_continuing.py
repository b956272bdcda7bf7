"""Campaigns that another engine or calibration began: prepared anew, continued where pairs agree, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from engine.config.campaign_config import load_config
from engine.errors import InputError
from engine.injection.check.self_check import CheckResult
from engine.injection.injection import Injection
from engine.injection.recording import SeverityMatrix
from engine.running import continuing
from engine.running.campaign import new_campaign
from engine.running.continuing import continue_from
from engine.running.execution import prepare_new
from engine.running.preparation import PreparedCampaign, prepare
from engine.store import Store
from tests.engine.running.test_campaign import after, results, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from engine.injection.outcomes import Outcomes
    from engine.store import Receipt

pytestmark = pytest.mark.usefixtures("one_thread")


def identity(store: Path) -> dict[str, str]:
    return Store.open(store, read_only=True).description(1)["identity"]


def begun_by_another_engine(folder: Path, monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.fingerprint.engine_version", lambda: "older")
        run(write_config(folder), store, after(2))
    assert identity(store)["engine"] == "older"


def test_parts_of_another_engine_that_agree_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, undisturbed = tmp_path / "store", tmp_path / "undisturbed"
    begun_by_another_engine(tmp_path, monkeypatch, store)
    finished = run(write_config(tmp_path), store)
    assert (finished.id, finished.state) == (1, "finished")
    assert identity(store)["engine"] != "older"
    run(write_config(tmp_path), undisturbed)
    assert results(store) == results(undisturbed)


def test_parts_of_another_engine_that_differ_are_not_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, genuine = tmp_path / "store", SeverityMatrix.outcomes

    def wrong(self: SeverityMatrix, positions: np.ndarray) -> Outcomes:
        self._severity[self._severity == 2] = 1
        return genuine(self, positions)

    with monkeypatch.context() as patch:
        patch.setattr(SeverityMatrix, "outcomes", wrong)
        patch.setattr("engine.running.proof.check", lambda *_: CheckResult(0, 0, 0, 0, (), 0.0))
        begun_by_another_engine(tmp_path, monkeypatch, store)
    with pytest.raises(
        InputError, match=r"campaign 1: parts of it were computed with engine older \(now \w{8}\).*--again"
    ):
        run(write_config(tmp_path), store)
    assert run(write_config(tmp_path), store, again=True).id == 2


def test_on_a_gpu_only_what_is_critical_must_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There masked pairs of `exact` depend on the size of the batch, and that on what was free."""
    path, genuine = tmp_path / "store", SeverityMatrix.outcomes

    def touched(self: SeverityMatrix, positions: np.ndarray) -> Outcomes:
        self._severity[self._severity == 0] = 1
        return genuine(self, positions)

    with monkeypatch.context() as patch:
        patch.setattr(SeverityMatrix, "outcomes", touched)
        patch.setattr("engine.running.proof.check", lambda *_: CheckResult(0, 0, 0, 0, (), 0.0))
        begun_by_another_engine(tmp_path, monkeypatch, path)
    prepared = prepare(load_config(write_config(tmp_path)))
    new = new_campaign(prepared, CheckResult(0, 0, 0, 0, (), 0.0))
    on_gpu = replace(prepared, numerics=replace(prepared.numerics, device="cuda:0"))
    store = Store.open(path)
    with store.lock():
        with pytest.raises(InputError, match="their pairs come out otherwise now"):
            continue_from(store, 1, prepared, new)
        images = prepared.images
        monkeypatch.setattr(PreparedCampaign, "images", lambda _self, start, stop: images(start, stop))
        continue_from(store, 1, on_gpu, new)


def test_another_calibration_is_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    run(write_config(tmp_path), store, after(2))
    floor = Store.open(store, read_only=True).description(1)["numerics"]["batch_floor"]
    genuine = vars(Injection)["measured"].fget
    assert genuine is not None
    recomputed: list[int] = []
    computed = continuing._computed

    def counted(prepared: PreparedCampaign, receipt: Receipt, *rest: Any) -> np.ndarray:
        recomputed.append(receipt.part)
        return computed(prepared, receipt, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Injection, "measured", property(lambda self: {**genuine(self), "batch_floor": 2 * int(floor)}))
        patch.setattr(continuing, "_computed", counted)
        assert run(write_config(tmp_path), store).state == "finished"
    assert recomputed, "of the parts that are there"
    assert Store.open(store, read_only=True).description(1)["numerics"]["batch_floor"] == str(2 * int(floor))


def test_where_there_is_no_part_it_is_prepared_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also its images: their golden classes and metrics are those of the engine that computes its severities."""
    path, config = tmp_path / "store", load_config(write_config(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.fingerprint.engine_version", lambda: "older")
        new = prepare_new(config)
        new.golden_class[:] = 0
        store = Store.open(path)
        store.create(new)
    assert run(write_config(tmp_path), path).id == 1
    undisturbed = tmp_path / "undisturbed"
    run(write_config(tmp_path), undisturbed)
    assert results(path) == results(undisturbed)


def test_a_finished_campaign_of_another_engine_is_found_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.fingerprint.engine_version", lambda: "older")
        run(write_config(tmp_path), store)
    again = run(write_config(tmp_path), store)
    assert (again.id, again.state) == (1, "finished")
    assert identity(store)["engine"] == "older"


def test_a_campaign_of_an_engine_that_was_part_of_the_fingerprint_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.fingerprint.without_engine", dict)
        patch.setattr("engine.running.fingerprint.engine_version", lambda: "1")
        run(write_config(tmp_path), store, after(2))
    finished = run(write_config(tmp_path), store)
    assert (finished.id, finished.state) == (1, "finished")
