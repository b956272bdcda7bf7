"""Normalisation, splits and downloads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torchvision

from engine.config.campaign_config import DatasetConfig
from engine.datasets import load_dataset
from engine.errors import InputError


def test_the_users_normalisation_comes_before_the_built_in() -> None:
    dataset = load_dataset(DatasetConfig(name="mnist", mean=(0.5,), std=(0.25,)))
    assert (dataset.mean, dataset.std) == ((0.5,), (0.25,))


def test_empty_normalisation_means_none() -> None:
    dataset = load_dataset(DatasetConfig(name="mnist", mean=(), std=()))
    assert dataset.batch([0]).max() == 1


@pytest.mark.parametrize(("mean", "std"), [((0.5,) * 3, (0.5,)), ((0.5,), (0.5,) * 3), ((), (0.5,))])
def test_normalisation_has_one_value_per_channel(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    complaint = f"mnist: mean has length {len(mean)} and std {len(std)}, but images have 1 channels;"
    with pytest.raises(InputError, match=complaint):
        load_dataset(DatasetConfig(name="mnist", mean=mean, std=std))


@pytest.mark.parametrize(("mean", "std"), [(1e300, 1.0), (0.5, 1e-300), (0.0, 1e-40), (1e38, 0.1)])
def test_normalisation_keeps_pixels_finite(mean: float, std: float) -> None:
    with pytest.raises(InputError, match=r"mnist: mean .* and std .* make every pixel infinite in float32; fix them"):
        load_dataset(DatasetConfig(name="mnist", mean=(mean,), std=(std,)))


@pytest.mark.parametrize("name", ["npz", "folder"])
def test_only_known_sets_have_a_training_split(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: has no training split"):
        load_dataset(DatasetConfig.model_validate({"name": name, "path": tmp_path}), train=True)


def no_internet(_root: str, train: bool, download: bool) -> None:
    assert (train, download) == (False, True)
    raise RuntimeError("Error downloading:\nTried one mirror, got:\nno route to host\n")


@pytest.mark.parametrize(
    ("name", "torchvision_name"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST"), ("cifar10", "CIFAR10")]
)
def test_without_internet_the_missing_files_are_named_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, torchvision_name: str
) -> None:
    monkeypatch.setattr(torchvision.datasets, torchvision_name, no_internet)
    folder = tmp_path / "data"
    with pytest.raises(InputError) as error:
        load_dataset(DatasetConfig.model_validate({"name": name, "path": folder}))
    assert str(error.value).startswith(
        f"{folder}: does not hold the test files of {name}, and they cannot be downloaded"
    )
    assert "(no route to host)" in str(error.value)
    assert "\n" not in str(error.value)
    assert not folder.exists()


def test_a_download_lands_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(root: str, train: bool, download: bool) -> None:
        assert train
        assert download
        print("Downloading")
        raw = Path(root) / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(
            bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4])
        )
        (raw / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 5]))

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", fetch)
    folder = tmp_path / "new" / "data"
    dataset = load_dataset(DatasetConfig(name="fashion_mnist", path=folder), train=True)
    np.testing.assert_array_equal(dataset.images, [[[[1, 2], [3, 4]]]])
    assert (folder / "FashionMNIST" / "raw" / "train-labels-idx1-ubyte").is_file()
    assert capsys.readouterr().out == ""


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(InputError, match="data: is a file; give"):
        load_dataset(DatasetConfig(name="mnist", path=tmp_path / "data"))


def test_reading_files_needs_only_numpy() -> None:
    code = "import sys, engine.datasets; print(*{'torch', 'torchvision', 'PIL', 'pydantic'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
