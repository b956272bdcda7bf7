"""What a result depends on: which item changes with what, and how a change is said."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.config.campaign_config import load_config
from engine.models.torchvision_cnn import torchvision_cnn
from engine.models.weights import BUNDLED_WEIGHTS
from engine.running.fingerprint import _SOURCES, differences, engine_version, fingerprint
from engine.running.preparation import prepare
from tests.small_campaign import write_config

pytestmark = pytest.mark.usefixtures("one_thread")

NETWORK = """
from torch import nn
from layers import linear
def tiny():
    return nn.Sequential(nn.Flatten(), linear())
"""
LAYERS = """
from torch import nn
def linear():
    return nn.Linear(784, 10)
"""


def identity(folder: Path, **changes: Any) -> dict[str, str]:
    return prepare(load_config(write_config(folder, **changes))).identity


def changed(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """The items that differ."""
    assert one.keys() == other.keys()
    return {name for name in one if one[name] != other[name]}


@pytest.mark.parametrize(
    ("changes", "items"),
    [
        ({}, set()),
        ({"name": "another", "run": {"memory": "2MB"}}, set()),
        ({"faults": {"seed": 1}}, {"faults"}),
        ({"faults": {"model": "stuck_at_1"}}, {"faults"}),
        ({"workload": {"select": "top_n", "n": 39}}, {"selection", "workload"}),
        ({"workload": {"metric": "deepgini"}}, {"metric", "workload"}),
        ({"dataset": {"mean": [0.13]}}, {"images", "workload"}),
        ({"run": {"method": "fast"}}, {"method"}),
    ],
)
def test_a_change_of_the_config_changes_its_items(tmp_path: Path, changes: dict[str, Any], items: set[str]) -> None:
    assert changed(identity(tmp_path), identity(tmp_path, **changes)) == items


def test_weights_count_by_their_values_and_not_by_their_file(tmp_path: Path) -> None:
    weights = load_file(BUNDLED_WEIGHTS)
    torch.save(weights, tmp_path / "same.pt")
    weights["fc3.bias"][0] += 1e-3
    torch.save(weights, tmp_path / "other.pt")
    bundled = identity(tmp_path)
    assert identity(tmp_path, model={"weights": "same.pt"}) == bundled
    assert "weights" in changed(identity(tmp_path, model={"weights": "other.pt"}), bundled)


def test_what_runs_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(tmp_path)
    torch.set_num_threads(2)
    try:
        assert changed(identity(tmp_path), before) == {"threads"}
    finally:
        torch.set_num_threads(1)
    monkeypatch.setattr(torch, "__version__", "9.9.9")
    assert changed(identity(tmp_path), before) == {"torch"}
    monkeypatch.setattr("engine.running.fingerprint.engine_version", lambda: "0")
    assert changed(identity(tmp_path), before) == {"torch", "engine"}


@pytest.mark.parametrize("file", ["mine.py", "layers.py"])
def test_the_users_own_code_counts_with_what_it_imports_beside_it(tmp_path: Path, file: str) -> None:
    (tmp_path / "mine.py").write_text(NETWORK)
    (tmp_path / "layers.py").write_text(LAYERS)
    torch.save({"1.weight": torch.zeros(10, 784), "1.bias": torch.zeros(10)}, tmp_path / "w.pt")
    model = {"arch": "mine:tiny", "weights": "w.pt"}
    before = identity(tmp_path, model=model)
    assert identity(tmp_path, model=model) == before
    (tmp_path / "unrelated.py").write_text("x = 1")
    assert identity(tmp_path, model=model) == before
    (tmp_path / file).write_text((tmp_path / file).read_text() + "\n# another version\n")
    assert changed(identity(tmp_path, model=model), before) == {"code"}


def test_a_network_of_torchvision_counts_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "colour.npz", images=np.zeros((4, 3, 64, 64), np.uint8), labels=np.arange(4))
    torch.save(torchvision_cnn("squeezenet1_1", 10).state_dict(), tmp_path / "w.pt")
    changes: dict[str, Any] = {
        "model": {"arch": "torchvision:squeezenet1_1", "weights": "w.pt"},
        "dataset": {"path": "colour.npz", "mean": None, "std": None},
        "run": {"memory": "10MB"},
    }
    before = identity(tmp_path, **changes)
    monkeypatch.setattr("engine.models.weights.version", lambda _package: "0.0")
    assert changed(identity(tmp_path, **changes), before) == {"code"}


def test_the_engine_is_whatever_may_change_a_severity() -> None:
    """Nobody can forget to raise it: the smallest change of a source is another version."""
    package = Path(engine.__file__).parent
    sources = [path for pattern in _SOURCES for path in package.glob(pattern)]
    assert {path.name for path in sources} >= {
        "batches.py",
        "change_bound.py",
        "winograd.py",
        "naive.py",
        "weight_format.py",
        "severity.py",
    }
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    assert engine_version() == digest.hexdigest()


def test_another_engine_is_the_same_campaign() -> None:
    """Whether it gives the same is found out by computing some of its pairs again."""
    items = {"weights": "w", "torch": "2.6"}
    assert fingerprint({**items, "engine": "1"}) == fingerprint({**items, "engine": "2"}) == fingerprint(items)


def test_the_fingerprint_is_of_every_item() -> None:
    items = {"weights": "w", "torch": "2.6"}
    assert fingerprint(items) == fingerprint(dict(reversed(items.items())))
    for name in items:
        assert fingerprint({**items, name: "other"}) != fingerprint(items)


def test_a_difference_is_said_in_few_words() -> None:
    then = {"weights": "a" * 64, "torch": "2.6.0", "threads": "2"}
    assert differences(then, {**then, "threads": "1"}) == "threads 2 (now 1)"
    now = {"weights": "b" * 64, "torch": "2.7.0", "threads": "2"}
    assert differences(then, now) == "weights aaaaaaaa (now bbbbbbbb), torch 2.6.0 (now 2.7.0)"
    assert differences({}, now) == "another version of dear-tui"
