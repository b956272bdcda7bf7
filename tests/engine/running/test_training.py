"""Training: the same seed gives the same weights, and nothing is written when it cannot start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.errors import InputError
from engine.models import load_model, read_weights
from engine.models.weights import BUNDLED_WEIGHTS
from engine.running.training import RECIPES, Recipe, TrainingProgress, accuracy, train

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def small_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that trains on the first 1,000 bundled test images and tests on the next 500."""
    folder = tmp_path_factory.mktemp("mnist")
    bundled = load_dataset(DatasetConfig(name="mnist"))
    for split, part in (("train", slice(0, 1000)), ("t10k", slice(1000, 1500))):
        for name, array in (
            ("images-idx3", bundled.images[part, 0]),
            ("labels-idx1", bundled.labels[part].astype(np.uint8)),
        ):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
            (folder / f"{split}-{name}-ubyte").write_bytes(header + array.tobytes())
    return folder


def training_story(file: Path) -> dict[str, Any]:
    with safe_open(file, framework="pt") as weights:
        story: dict[str, Any] = json.loads(weights.metadata()["training"])
    return story


def test_training_learns_reports_and_saves(tmp_path: Path, small_mnist: Path) -> None:
    out = tmp_path / "w.safetensors"
    seen: list[TrainingProgress] = []
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    result = train("lenet5", "mnist", out, path=small_mnist, epochs=4, seed=3, on_progress=seen.append)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), random)
    assert [progress.step for progress in seen] == list(range(1, 33))
    assert {progress.steps for progress in seen} == {32}
    assert [progress.epoch for progress in seen] == sorted([1, 2, 3, 4] * 8)
    assert seen[0].test_accuracy is None
    assert seen[-1].loss < seen[0].loss / 2
    assert result.test_accuracy > 0.6
    test = load_dataset(DatasetConfig(name="mnist", path=small_mnist))
    loaded = load_model(ModelConfig(arch="lenet5", weights=out), test)
    assert accuracy(loaded.model, test) == result.test_accuracy
    story = training_story(out)
    assert (story["arch"], story["dataset"], story["seed"]) == ("lenet5", "mnist", 3)
    assert story["recipe"]["epochs"] == 4
    assert story["test_accuracy"] == result.test_accuracy
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_the_seed_decides_the_weights(tmp_path: Path, small_mnist: Path) -> None:
    files: list[Path] = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(len(files))  # what the caller did before must not matter
        files.append(train("lenet5", "mnist", tmp_path / f"{name}.safetensors", small_mnist, epochs=1, seed=seed).out)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not torch.equal(read_weights(files[0])["conv1.weight"], read_weights(files[2])["conv1.weight"])


def test_the_bundled_weights_come_from_the_recipe() -> None:
    story = training_story(BUNDLED_WEIGHTS)
    assert (story["arch"], story["dataset"]) == ("lenet5", "mnist")
    assert Recipe(**story["recipe"]) == RECIPES["lenet5", "mnist"]
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = load_model(ModelConfig(arch="lenet5"), dataset).model
    assert accuracy(model, dataset) == pytest.approx(story["test_accuracy"], abs=2e-4)  # other CPUs round otherwise


@pytest.mark.slow
def test_the_recipe_reaches_its_accuracy(tmp_path: Path, shared_data: Path) -> None:
    result = train("lenet5", "mnist", tmp_path / "w.safetensors", shared_data / "mnist", seed=1)
    assert result.test_accuracy >= 0.992


def test_a_pair_without_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training recipe for resnet20 on cifar10: use lenet5 on mnist"):
        train("resnet20", "cifar10", tmp_path / "w.safetensors")


def test_no_epochs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="epochs is 0"):
        train("lenet5", "mnist", tmp_path / "w.safetensors", epochs=0)


@pytest.mark.parametrize("name", ["w.pt", "nowhere/w.safetensors", "folder.safetensors"])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(InputError, match=name):
        train("lenet5", "mnist", tmp_path / name)


def test_a_training_split_that_is_missing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_internet(_root: str, train: bool, download: bool) -> None:
        raise OSError(f"train={train} download={download}: no route to host")

    monkeypatch.setattr("torchvision.datasets.MNIST", no_internet)
    with pytest.raises(InputError, match="does not hold the training files of mnist, and they cannot be downloaded"):
        train("lenet5", "mnist", tmp_path / "w.safetensors", path=tmp_path)
    assert list(tmp_path.iterdir()) == []
