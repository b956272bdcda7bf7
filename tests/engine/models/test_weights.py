"""Weights files: every format reads the same, and a wrong one is explained in one sentence."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets import Dataset, load_dataset
from engine.errors import InputError
from engine.models import build_model, load_model, read_weights
from engine.running.training import accuracy

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

MNIST_LIKE = Dataset("npz", np.zeros((2, 1, 28, 28), dtype=np.uint8), np.array([0, 9]))


@pytest.fixture(scope="module")
def lenet5() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return build_model("lenet5", 1, 10).state_dict()


def test_the_bundled_weights_are_right_on_the_bundled_test_set() -> None:
    dataset = load_dataset(DatasetConfig(name="mnist"))
    assert accuracy(load_model(ModelConfig(arch="lenet5"), dataset).model, dataset) >= 0.992


def test_resnet20_has_its_published_accuracy(shared_data: Path, request: pytest.FixtureRequest) -> None:
    images = 10_000 if request.config.getoption("--slow") else 1000
    dataset = load_dataset(
        DatasetConfig(
            name="cifar10", path=shared_data / "cifar10", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
        )
    )
    part = Dataset(dataset.name, dataset.images[:images], dataset.labels[:images], dataset.mean, dataset.std)
    config = ModelConfig(arch="resnet20", weights=shared_data / "weights" / "resnet20-cifar10.th")
    assert accuracy(load_model(config, part).model, part) == (0.9173 if images == 10_000 else 0.915)


def test_mobilenetv2_has_its_published_accuracy(shared_data: Path, request: pytest.FixtureRequest) -> None:
    images = 2000 if request.config.getoption("--slow") else 200
    dataset = load_dataset(
        DatasetConfig(
            name="cifar10", path=shared_data / "cifar10", mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)
        )
    )
    part = Dataset(dataset.name, dataset.images[:images], dataset.labels[:images], dataset.mean, dataset.std)
    weights = shared_data / "weights" / "mobilenetv2x0.5-cifar10.pt"
    config = ModelConfig(arch="mobilenetv2", width=0.5, weights=weights)
    assert accuracy(load_model(config, part).model, part) == (0.9155 if images == 2000 else 0.915)


def test_every_format_reads_the_same(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    prefixed = {f"module.{name}": tensor for name, tensor in lenet5.items()}
    save_file(lenet5, tmp_path / "a.safetensors")
    torch.save(lenet5, tmp_path / "b.pt")
    torch.save({"state_dict": prefixed, "best_prec1": 91.7}, tmp_path / "c.th")
    torch.save(prefixed, tmp_path / "d.pth", _use_new_zipfile_serialization=False)
    hashes = set()
    for file in sorted(tmp_path.iterdir()):
        read = read_weights(file)
        assert list(read) == list(lenet5) or set(read) == set(lenet5)
        assert all(torch.equal(read[name], lenet5[name]) for name in lenet5)
        hashes.add(load_model(ModelConfig(arch="lenet5", weights=file), MNIST_LIKE).weights_sha256)
    assert len(hashes) == 1


def test_a_loaded_model_is_ready_to_run(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    doubled = {name: tensor.double() for name, tensor in lenet5.items()}
    save_file(doubled, tmp_path / "double.safetensors")
    model = load_model(ModelConfig(arch="lenet5", weights=tmp_path / "double.safetensors"), MNIST_LIKE).model
    assert not any(module.training for module in model.modules())
    assert all(parameter.dtype == torch.float32 and not parameter.requires_grad for parameter in model.parameters())


def test_one_changed_bit_is_another_network(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    hashes = set()
    for name, scale in (("a.pt", 1.0), ("b.pt", 1 + 2.0**-23)):
        torch.save(lenet5 | {"fc3.bias": lenet5["fc3.bias"] * scale}, tmp_path / name)
        hashes.add(load_model(ModelConfig(arch="lenet5", weights=tmp_path / name), MNIST_LIKE).weights_sha256)
    assert len(hashes) == 2


def test_batch_counters_may_be_missing(tmp_path: Path) -> None:
    state = build_model("resnet20", 1, 10).state_dict()
    torch.save({name: value for name, value in state.items() if "num_batches" not in name}, tmp_path / "w.pt")
    load_model(ModelConfig(arch="resnet20", weights=tmp_path / "w.pt"), MNIST_LIKE)


def refusal(tmp_path: Path, weights: dict[str, Tensor], dataset: Dataset = MNIST_LIKE) -> str:
    file = tmp_path / "w.safetensors"
    save_file(weights, file)
    with pytest.raises(InputError) as error:
        load_model(ModelConfig(arch="lenet5", weights=file), dataset)
    message = str(error.value)
    assert str(file) in message
    assert "\n" not in message
    return message


def test_the_first_wrong_shape_is_named(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    message = refusal(tmp_path, lenet5 | {"fc1.weight": torch.zeros(120, 256), "fc2.weight": torch.zeros(3, 3)})
    assert "fc1.weight is (120, 256) in the file but (120, 400) in the network" in message
    assert "fc2" not in message


def test_missing_and_unexpected_parameters_are_named(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    weights = {name.replace("fc2", "dense"): tensor for name, tensor in lenet5.items()}
    message = refusal(tmp_path, weights)
    assert "the file lacks fc2.weight, fc2.bias" in message
    assert "the network has no dense." in message


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, build_model("resnet20", 1, 10).state_dict())
    assert "conv1.weight is (16, 1, 3, 3) in the file but (6, 1, 5, 5) in the network" in message
    assert "the file lacks conv1.bias, conv2.weight, conv2.bias and 6 more" in message


def test_images_with_other_channels_are_refused(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    colour = Dataset("cifar10", np.zeros((2, 3, 32, 32), dtype=np.uint8), np.array([0, 9]))
    message = refusal(tmp_path, lenet5, colour)
    assert "not the weights of lenet5 on 3-channel images: conv1.weight is (6, 1, 5, 5) in the file" in message


def test_images_of_another_size_are_refused(lenet5: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(lenet5, tmp_path / "w.safetensors")
    large = Dataset("npz", np.zeros((2, 1, 32, 32), dtype=np.uint8), np.array([0, 9]))
    with pytest.raises(InputError, match="npz: images of 1 x 32 x 32 do not fit lenet5, which takes 1 x 28 x 28 or"):
        load_model(ModelConfig(arch="lenet5", weights=tmp_path / "w.safetensors"), large)


def test_a_label_without_a_class_is_refused(tmp_path: Path, lenet5: dict[str, Tensor]) -> None:
    labelled = Dataset("npz", MNIST_LIKE.images, np.array([0, 10]))
    assert "npz: image 1 has label 10, but the network" in refusal(tmp_path, lenet5, labelled)


def test_the_weights_file_gives_the_number_of_classes(tmp_path: Path) -> None:
    torch.save(build_model("lenet5", 1, 12).state_dict(), tmp_path / "w.pt")
    labelled = Dataset("npz", MNIST_LIKE.images, np.array([0, 11]))
    model = load_model(ModelConfig(arch="lenet5", weights=tmp_path / "w.pt"), labelled).model
    assert model(torch.zeros(1, 1, 28, 28)).shape == (1, 12)


COLOUR = Dataset("npz", np.zeros((2, 3, 32, 32), dtype=np.uint8), np.array([0, 11]))


@pytest.mark.parametrize(
    "arch", ["torchvision:squeezenet1_1", "torchvision:mobilenet_v3_small", "mobilenetv2", "vgg11"]
)
def test_also_where_the_classifier_is_a_convolution_or_a_later_layer(tmp_path: Path, arch: str) -> None:
    torch.save(build_model(arch, 3, 12).state_dict(), tmp_path / "w.pt")
    model = load_model(ModelConfig(arch=arch, weights=tmp_path / "w.pt"), COLOUR).model
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 12)


def test_another_width_is_another_network(tmp_path: Path) -> None:
    torch.save(build_model("mobilenetv2", 3, 12, 0.25).state_dict(), tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"not the weights of mobilenetv2 of width 0\.5 on 3-channel images: stem\.0"):
        load_model(ModelConfig(arch="mobilenetv2", width=0.5, weights=tmp_path / "w.pt"), COLOUR)


def test_images_that_a_network_cannot_take_are_refused(tmp_path: Path) -> None:
    torch.save(build_model("torchvision:resnet18", 3, 12).state_dict(), tmp_path / "w.pt")
    config = ModelConfig(arch="torchvision:resnet18", weights=tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"images of 1 x 28 x 28 do not fit torchvision:resnet18 \(.*expected input"):
        load_model(config, MNIST_LIKE)


class Hostile:
    """A pickle that makes a folder when it is loaded the usual way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_weights_file_runs_no_code(tmp_path: Path) -> None:
    torch.save({"fc1.weight": Hostile(tmp_path / "owned")}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"w\.pt: not a file of tensors, and nothing else is unpickled"):
        read_weights(tmp_path / "w.pt")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.th"])
@pytest.mark.parametrize("content", [b"", b"plain text", b"PK\x03\x04 cut short", b"\x80\x02K\x01."])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: (not a|holds more than)"):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("stored", [{"epoch": 3}, [torch.zeros(2)], {"state_dict": {"a": torch.zeros(2), "b": 1}}])
def test_values_that_are_not_tensors_are_refused(tmp_path: Path, stored: object) -> None:
    torch.save(stored, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"w\.pt: holds more than named tensors"):
        read_weights(tmp_path / "w.pt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.pt: there is no such file"):
        read_weights(tmp_path / "nowhere.pt")
