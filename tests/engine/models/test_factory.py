"""Networks of the user's own: found beside the config or in the environment, and refused in one sentence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from engine.config.campaign_config import ModelConfig, load_config
from engine.datasets import Dataset
from engine.errors import InputError
from engine.models import load_model
from engine.models.torch_state import settings_kept
from engine.running.preparation import prepare
from tests.engine.models.own_network import IMAGES as COLOUR
from tests.engine.models.own_network import load, made, write_factory
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

IMAGES = Dataset("npz", np.zeros((2, 1, 28, 28), dtype=np.uint8), np.array([0, 4]))

NETWORKS = """
import os
import torch
from torch import nn
from nets.sizes import CLASSES

def small():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, CLASSES)).double()

def broken():
    raise ValueError("no such file\\nnor folder")

def leaves():
    raise SystemExit(3)

def text():
    return "a network"

def pictures():
    return nn.Sequential(nn.Conv2d(1, 5, 3))

def pair():
    class Pair(nn.Module):
        def forward(self, images):
            return images, images
    return Pair()

def rounded():
    class Rounded(nn.Linear):
        def forward(self, images):
            return super().forward(images.flatten(1)).round().long()
    return Rounded(784, 5)

def many():
    widen = (nn.Unflatten(1, (1, 1)), nn.Upsample(size=65537), nn.Flatten())
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 1), *widen)

def without_layers():
    return nn.Sequential(nn.BatchNorm2d(1), nn.AdaptiveAvgPool2d((10, 1)), nn.Flatten())

SIZE = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package `nets` of two modules, and one that cannot be imported."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "__init__.py").write_text("")
    (tmp_path / "nets" / "sizes.py").write_text("CLASSES = 5")
    (tmp_path / "nets" / "made.py").write_text(NETWORKS)
    (tmp_path / "typo.py").write_text("import nowhere_at_all")
    (tmp_path / "syntax.py").write_text("def")
    return tmp_path


def weights_of(model: nn.Module, folder: Path) -> Path:
    torch.save(model.state_dict(), folder / "w.pt")
    return folder / "w.pt"


def linear(classes: int) -> nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, classes))


def test_a_network_beside_the_config_is_loaded(folder: Path) -> None:
    path = list(sys.path)
    weights = weights_of(linear(5), folder)
    model = load_model(ModelConfig(arch="nets.made:small", path=folder, weights=weights), IMAGES).model
    assert model(torch.zeros(3, 1, 28, 28)).shape == (3, 5)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert sys.path == path


def test_folders_with_modules_of_the_same_name_do_not_mix(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "nets.py").write_text(
        "from torch import nn\nmade = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 7))"
    )
    first = ModelConfig(arch="nets.made:small", path=folder, weights=weights_of(linear(5), folder))
    second = ModelConfig(arch="nets:made", path=other, weights=weights_of(linear(7), other))
    for config, classes in ((first, 5), (second, 7), (first, 5)):
        assert load_model(config, IMAGES).model(torch.zeros(1, 1, 28, 28)).shape == (1, classes)


def test_a_network_of_the_environment_is_loaded(tmp_path: Path) -> None:
    from torchvision.models import squeezenet1_1

    colour = Dataset("npz", np.zeros((1, 3, 64, 64), dtype=np.uint8), np.array([999]))
    config = ModelConfig(arch="torchvision.models:squeezenet1_1", weights=weights_of(squeezenet1_1(), tmp_path))
    assert load_model(config, colour).model(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)


def test_a_config_looks_beside_itself_unless_it_says_where(folder: Path) -> None:
    weights_of(linear(5), folder)
    model = {"arch": "nets.made:small", "weights": "w.pt"}
    assert load_config(write_config(folder, model=model)).model.path == folder
    (folder / "configs").mkdir()
    config = load_config(write_config(folder / "configs", model={**model, "path": "..", "weights": "../w.pt"}))
    assert config.model.path == folder / "configs" / ".."
    with pytest.raises(InputError, match=r"image \d+ has label 9, but the network of .* has 5 classes"):
        prepare(config)


@pytest.mark.parametrize(
    ("arch", "sentence"),
    [
        ("nowhere:small", "there is no module nowhere in FOLDER or the environment; fix [model] arch or path"),
        ("nets.nowhere:small", "there is no module nets.nowhere in FOLDER or the environment; fix [model] arch or "
         "path"),
        ("typo:small", "importing typo failed with ModuleNotFoundError: No module named 'nowhere_at_all'; fix that "
         "module"),
        ("syntax:small", "importing syntax failed with SyntaxError: invalid syntax (syntax.py, line 1); fix that "
         "module"),
        ("nets.made:large", "nets.made has no large; fix [model] arch, or add it to that module"),
        ("nets.made:SIZE", "calling nets.made:SIZE() failed with TypeError: 'int' object is not callable; fix that "
         "callable"),
        ("nets.made:broken", "calling nets.made:broken() failed with ValueError: no such file; fix that callable"),
        ("nets.made:leaves", "calling nets.made:leaves() failed with SystemExit: 3; fix that callable"),
        ("nets.made:text", "nets.made:text() returns str, but should return an nn.Module; fix that callable"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(folder: Path, arch: str, sentence: str) -> None:
    config = ModelConfig(arch=arch, path=folder, weights=weights_of(linear(5), folder))
    with pytest.raises(InputError) as error:
        load_model(config, IMAGES)
    assert str(error.value).replace(str(folder), "FOLDER") == sentence


@pytest.mark.parametrize(
    ("arch", "state", "sentence"),
    [
        ("nets.made:pictures", torch.nn.Sequential(torch.nn.Conv2d(1, 5, 3)), "its output for 2 images is [2, 5, 26, "
         "26], but should be logits [2, classes]; fix [model] arch"),
        ("nets.made:pair", torch.nn.Module(), "its output for 2 images is a tuple, but should be logits [2, classes]; "
         "fix [model] arch"),
        ("nets.made:rounded", torch.nn.Linear(784, 5), "its output is int64, but should be logits in floating point; "
         "return what that is made of"),
        ("nets.made:many", torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 1)), "it has 65,537 classes, "
         "but predictions are kept as numbers below 65,536; return the logits of at most so many"),
    ],
)  # fmt: skip
def test_an_output_that_is_not_logits_is_refused(folder: Path, arch: str, state: nn.Module, sentence: str) -> None:
    config = ModelConfig(arch=arch, path=folder, weights=weights_of(state, folder))
    with pytest.raises(InputError) as error:
        load_model(config, IMAGES)
    assert str(error.value) == f"{arch}: {sentence}"


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    config = ModelConfig(arch="nets.made:small", path=folder, weights=weights_of(linear(6), folder))
    with pytest.raises(InputError, match=r"not the weights of nets\.made:small: 1\.weight is \(6, 784\) in the file"):
        load_model(config, IMAGES)


def test_a_network_without_injectable_layers_is_refused(folder: Path) -> None:
    weights_of(torch.nn.Sequential(torch.nn.BatchNorm2d(1)), folder)
    config = load_config(write_config(folder, model={"arch": "nets.made:without_layers", "weights": "w.pt"}))
    with pytest.raises(InputError, match="Sequential: the network has no convolution or linear layer to inject into"):
        prepare(config)


def test_what_a_module_prints_is_no_data(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_factory(tmp_path, "print('building')\nreturn Net()")
    load(tmp_path)
    assert capfd.readouterr().out == "building\n"  # as the test made it
    load_model(ModelConfig(arch="fac:make", path=tmp_path, weights=tmp_path / "w.pt"), COLOUR)
    assert capfd.readouterr() == ("", "building\n")


def test_what_a_module_sets_in_torch_is_as_before_afterwards(tmp_path: Path) -> None:
    def settings() -> list[object]:
        return [
            torch.get_float32_matmul_precision(), torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark, torch.get_default_dtype(),
            torch.get_num_threads(), torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(),
            float(torch.tensor(1e-40, dtype=torch.float32) * 1) > 0,
        ]  # fmt: skip

    before = settings()
    write_factory(
        tmp_path,
        """
        torch.set_float32_matmul_precision("medium")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        torch.set_default_dtype(torch.float64)
        torch.set_flush_denormal(True)
        torch.set_num_threads(7)
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        return Net()
        """,
    )
    with settings_kept():
        weights = weights_of(made(tmp_path), tmp_path)
    load_model(ModelConfig(arch="fac:make", path=tmp_path, weights=weights), COLOUR)
    assert settings() == before


def test_a_module_that_is_imported_by_the_forward_pass_is_to_be_imported_before(tmp_path: Path) -> None:
    body = """
    class Late(Net):
        def forward(self, x):
            import helper
            return super().forward(helper.same(x))
    return Late()
    """
    write_factory(tmp_path, body)
    (tmp_path / "helper.py").write_text("same = lambda x: x", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load(tmp_path)
    assert str(error.value) == (
        "fac:make: imports something while it runs (No module named 'helper'); import it at the top of its module"
    )


def test_a_network_may_have_an_image_size_of_its_own(tmp_path: Path) -> None:
    write_factory(tmp_path, "net = Net()\nnet.image_size = 224\nreturn net")
    load(tmp_path)


def test_what_a_network_says_of_a_file_is_passed_on(tmp_path: Path) -> None:
    body = """
    class Picky(Net):
        def _load_from_state_dict(self, *args):
            raise ValueError("made for another\\nversion")
    return Picky()
    """
    write_factory(tmp_path, body)
    with pytest.raises(InputError) as error:
        load(tmp_path)
    assert str(error.value).endswith("not the weights of fac:make: made for another; fix [model] arch or weights")
