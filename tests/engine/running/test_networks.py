"""What campaigns of one process share: loaded once, and anew as soon as anything it depends on is another thing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from engine import models
from engine.config.campaign_config import load_config
from engine.models.weights import BUNDLED_WEIGHTS
from engine.running import execution, preparation, proof
from engine.running.execution import execute, prepare_new
from engine.running.networks import Networks
from engine.running.preparation import prepare
from tests.engine.running.test_campaign import Recorder, results
from tests.small_campaign import write_config, write_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.running.preparation import PreparedCampaign

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that were loaded."""
    loaded: list[str] = []
    load_model = models.load_model

    def counted(config: Any, *arguments: Any) -> Any:
        loaded.append(config.arch)
        return load_model(config, *arguments)

    monkeypatch.setattr(preparation, "load_model", counted)
    return loaded


def prepared_again(folder: Path, networks: Networks, **changes: Any) -> PreparedCampaign:
    return prepare(load_config(write_config(folder, **changes)), networks=networks)


def test_campaigns_of_one_network_load_it_once_and_give_what_each_gives_alone(tmp_path: Path, loads: list[str]) -> None:
    networks = Networks()
    changes: list[dict[str, Any]] = [{"faults": {"seed": 1}}, {"workload": {"select": "top_n", "n": 9}}, {}]
    for number, change in enumerate(changes):
        shared, alone = prepared_again(tmp_path, networks, **change), prepared_again(tmp_path, Networks(), **change)
        assert shared.identity == alone.identity
        for name, prepared in (("shared", shared), ("alone", alone)):
            execute(prepared, tmp_path / f"{name}{number}", Recorder(), lambda: False)
        assert results(tmp_path / f"shared{number}") == results(tmp_path / f"alone{number}")
    assert len(loads) == 1 + len(changes)


def test_configs_of_one_network_are_tried_out_once_before_they_are_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved: list[PreparedCampaign] = []

    def prove(prepared: PreparedCampaign, *arguments: Any, **options: Any) -> Any:
        proved.append(prepared)
        return proof.prove(prepared, *arguments, **options)

    monkeypatch.setattr(execution, "prove", prove)
    networks = Networks()
    news = [
        prepare_new(load_config(write_config(tmp_path, **changes)), networks=networks)
        for changes in ({"faults": {"seed": 1}}, {"faults": {"seed": 2}}, {"run": {"method": "screened"}})
    ]
    assert [prepared.config.run.method for prepared in proved] == ["exact", "screened"]
    assert len({new.fingerprint for new in news}) == 3
    assert news[0].check == news[1].check


def write_other_weights(folder: Path) -> dict[str, Any]:
    (folder / "w.safetensors").write_bytes(BUNDLED_WEIGHTS.read_bytes())
    return {}


def write_other_images(folder: Path) -> dict[str, Any]:
    write_images(folder / "set.npz")
    return {}


def touch_nothing(_folder: Path) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("change", "loaded"),
    [
        (touch_nothing, 1),
        (write_other_weights, 2),
        (write_other_images, 2),
        (lambda _folder: {"run": {"memory": "2MB"}}, 2),
        (lambda _folder: {"run": {"method": "fast"}}, 2),
        (lambda _folder: {"dataset": {"std": [0.5]}}, 2),
        (lambda _folder: {"run": {"check": "2"}}, 1),
    ],
)
def test_what_a_network_depends_on_has_it_loaded_anew(
    tmp_path: Path, loads: list[str], change: Callable[[Path], dict[str, Any]], loaded: int
) -> None:
    shutil.copyfile(BUNDLED_WEIGHTS, tmp_path / "w.safetensors")
    networks, model = Networks(), {"weights": "w.safetensors"}
    prepared_again(tmp_path, networks, model=model)
    prepared_again(tmp_path, networks, model=model, **change(tmp_path))
    assert len(loads) == loaded


def test_a_network_that_a_check_found_wrong_is_loaded_anew(tmp_path: Path, loads: list[str]) -> None:
    networks = Networks()
    first = prepared_again(tmp_path, networks)
    assert first.injection.fall_back(0)
    second = prepared_again(tmp_path, networks)
    assert len(loads) == 2
    assert second.injection.method_of(0) == "exact"


def test_networks_that_wait_take_a_share_of_the_memory(tmp_path: Path, loads: list[str]) -> None:
    """LeNet-5 is 0.7 MB three times over: one fits in an eighth of 8 MB, and is gone when a third one is loaded."""
    networks = Networks()
    for memory in (8, 9, 8):
        prepared_again(tmp_path, networks, run={"memory": f"{memory}MB"})
    assert len(loads) == 2
    prepared_again(tmp_path, networks, run={"memory": "10MB"})
    prepared_again(tmp_path, networks, run={"memory": "9MB"})
    assert len(loads) == 4


def test_code_of_ones_own_that_was_edited_is_loaded_anew(tmp_path: Path, loads: list[str]) -> None:
    source = "from engine.models.lenet5 import LeNet5\ndef make():\n    return LeNet5(1, 10)\n"
    (tmp_path / "mine_for_sharing.py").write_text(source)
    networks, config = Networks(), load_config(write_config(tmp_path, model={"arch": "mine_for_sharing:make"}))
    for _ in range(2):
        prepare(config, networks=networks)
    assert len(loads) == 1
    (tmp_path / "mine_for_sharing.py").write_text(f"{source}# edited\n")
    prepare(config, networks=networks)
    assert len(loads) == 2


def test_a_small_campaign_by_fast_is_run_by_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done before `fast` has measured its rounding. A larger one gets `fast`, which serves a small one, too."""
    networks, fast = Networks(), {"run": {"method": "fast"}}
    monkeypatch.setattr("engine.injection.methods.SMALL", 10**9)
    small = prepared_again(tmp_path, networks, **fast)
    assert small.injection.method == "exact"
    assert f"exact runs the {small.pairs:,} pairs: they are so few" in " ".join(small.notes)
    assert small.injected_by("fast") is small.injection
    assert small.injected_by("screened") is not small.injection
    other = prepared_again(tmp_path, networks, workload={"select": "top_n", "n": 9}, **fast)
    assert other.injection is small.injection
    assert f"exact runs the {other.pairs:,} pairs" in " ".join(other.notes), "its own, not those of the first"
    monkeypatch.setattr("engine.injection.methods.SMALL", small.pairs)
    large = prepared_again(tmp_path, networks, **fast)
    assert large.injection.method == "fast"
    monkeypatch.setattr("engine.injection.methods.SMALL", 10**9)
    again = prepared_again(tmp_path, networks, **fast)
    assert again.injection is again.injected_by("fast") is large.injection
    assert not any("so few" in note for note in again.notes)
    assert prepared_again(tmp_path, networks, run={"method": "screened"}).injection.method == "screened"
