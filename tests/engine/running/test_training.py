"""Training: the same seed gives the same weights, and nothing is written when it cannot start."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import load_dataset
from engine.errors import InputError, NoDeviceError, UnreachableError
from engine.models import load_model, read_weights
from engine.models.weights import BUNDLED_WEIGHTS
from engine.running.recipes import RECIPES, Recipe
from engine.running.training import ImagesOnDevice, TrainingProgress, accuracy, train, training_precision
from tests.small_disk import small_disk

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
    result = train("lenet5", "mnist", out, path=small_mnist, epochs=4, seed=3, on_progress=seen.append, device="cpu")
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
    assert (story["device"], story["precision"]) == (result.device, result.precision) == ("cpu", "float32")
    assert story["device_name"] == torch.backends.cpu.get_cpu_capability()
    assert story["recipe"]["epochs"] == 4
    assert story["test_accuracy"] == result.test_accuracy
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_the_seed_decides_the_weights(tmp_path: Path, small_mnist: Path) -> None:
    files: list[Path] = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(len(files))  # what the caller did before must not matter
        files.append(
            train(
                "lenet5", "mnist", tmp_path / f"{name}.safetensors", small_mnist, epochs=1, seed=seed, device="cpu"
            ).out
        )
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not torch.equal(read_weights(files[0])["conv1.weight"], read_weights(files[2])["conv1.weight"])


def test_the_bundled_weights_come_from_the_recipe() -> None:
    story = training_story(BUNDLED_WEIGHTS)
    assert (story["arch"], story["dataset"]) == ("lenet5", "mnist")
    assert Recipe(**story["recipe"]) == RECIPES["lenet5", "mnist"]
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = load_model(ModelConfig(arch="lenet5"), dataset).model
    assert accuracy(model, dataset) == pytest.approx(story["test_accuracy"], abs=2e-4)  # other CPUs round otherwise


@pytest.fixture(scope="module")
def small_cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 5 x 2 training images and 4 test images, of random pixels."""
    folder = tmp_path_factory.mktemp("cifar10")
    random = np.random.default_rng(0)
    for name, count in (*((f"data_batch_{number}", 2) for number in range(1, 6)), ("test_batch", 4)):
        records = random.integers(0, 256, (count, 1 + 3 * 32 * 32), dtype=np.uint8)
        records[:, 0] = np.arange(count) + 10 - count  # class 9 is there
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    return folder


def test_the_recipe_of_colour_images_runs_and_its_weights_load(tmp_path: Path, small_cifar10: Path) -> None:
    out = tmp_path / "w.safetensors"
    seen: list[TrainingProgress] = []
    result = train("resnet9", "cifar10", out, small_cifar10, epochs=2, on_progress=seen.append, device="cpu")
    assert [progress.step for progress in seen] == [1, 2]
    assert all(np.isfinite(progress.loss) for progress in seen)
    assert training_story(out)["recipe"]["crop"] == 4
    test = load_dataset(DatasetConfig(name="cifar10", path=small_cifar10))
    model = load_model(ModelConfig(arch="resnet9", weights=out), test).model
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert accuracy(model, test) == result.test_accuracy


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_trains_and_saves_float32(
    tmp_path: Path, small_mnist: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setattr("engine.running.training.training_precision", lambda _device: precision)
    out = tmp_path / "w.safetensors"
    seen: list[TrainingProgress] = []
    result = train("lenet5", "mnist", out, small_mnist, epochs=3, on_progress=seen.append, device="cpu")
    assert seen[-1].loss < seen[0].loss
    assert (result.precision, training_story(out)["precision"]) == (precision, precision)
    weights = read_weights(out)
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    test = load_dataset(DatasetConfig(name="mnist", path=small_mnist))
    assert accuracy(load_model(ModelConfig(arch="lenet5", weights=out), test).model, test) == result.test_accuracy


def test_precision_is_mixed_on_cuda_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert training_precision(torch.device("cpu")) == "float32"
    for is_known, precision in ((True, "bfloat16"), (False, "float16")):
        monkeypatch.setattr(torch.cuda, "device", lambda _device: nullcontext())
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda known=is_known, **_: known)
        assert training_precision(torch.device("cuda:0")) == precision


@pytest.mark.parametrize(
    "dataset",
    [DatasetConfig(name="mnist"), DatasetConfig(name="mnist", mean=(), std=())],
)
def test_images_kept_on_the_device_are_the_data_sets_to_the_bit(dataset: DatasetConfig) -> None:
    read = load_dataset(dataset)
    kept = ImagesOnDevice(read, torch.device("cpu"))
    index = torch.tensor([3, 9_999, 0])
    assert torch.equal(kept.batch(index), torch.from_numpy(read.batch(index.numpy())))
    assert torch.equal(kept.batch(slice(0, 50)), torch.from_numpy(read.batch(slice(0, 50))))


@pytest.mark.slow
def test_the_recipe_reaches_its_accuracy(tmp_path: Path, shared_data: Path) -> None:
    result = train("lenet5", "mnist", tmp_path / "w.safetensors", shared_data / "mnist", seed=1)
    assert result.test_accuracy >= 0.992


def test_a_pair_without_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="no training recipe for resnet20 on cifar10: use lenet5 on mnist, resnet9 on cifar10"
    ):
        train("resnet20", "cifar10", tmp_path / "w.safetensors")


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_a_device_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    sentence = r'device: cuda:0 is asked for, but there is no CUDA device; use "cpu" or "auto"'
    with pytest.raises(NoDeviceError, match=f"^{sentence}$"):
        train("lenet5", "mnist", tmp_path / "w.safetensors", device="cuda")


def test_a_device_of_another_name_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'^device: use "auto", "cpu", "cuda" or "cuda:1", not "gpu"$'):
        train("lenet5", "mnist", tmp_path / "w.safetensors", device="gpu")


def test_memory_that_runs_out_is_a_sentence(tmp_path: Path, small_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("engine.running.training.ImagesOnDevice", full)
    with pytest.raises(UnreachableError, match=r"^device: cpu has too little memory free to train lenet5; free some"):
        train("lenet5", "mnist", tmp_path / "w.safetensors", small_mnist, device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_no_epochs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="epochs is 0"):
        train("lenet5", "mnist", tmp_path / "w.safetensors", epochs=0)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_that_torch_cannot_take_is_refused_before_the_work(tmp_path: Path, seed: int) -> None:
    with pytest.raises(InputError, match=f"^seed is {seed}: use a whole number from 0 to {2**64 - 1}$"):
        train("lenet5", "mnist", tmp_path / "w.safetensors", seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_find_no_room_are_a_sentence(tmp_path: Path, small_mnist: Path) -> None:
    with small_disk(tmp_path / "disk", "16k") as disk:
        out = disk / "w.safetensors"
        with pytest.raises(
            UnreachableError, match=r"w\.safetensors: cannot be written \(.*No space left.*\); free some"
        ):
            train("lenet5", "mnist", out, path=small_mnist, epochs=1, device="cpu")
        assert list(disk.iterdir()) == []


@pytest.mark.parametrize("name", ["w.pt", "nowhere/w.safetensors", "folder.safetensors", "w" * 240 + ".safetensors"])
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
