"""Networks of torchvision take the files that it publishes, and run as torchvision runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from engine.config.campaign_config import ModelConfig
from engine.datasets import Dataset
from engine.injection.network.layers import injectable_layers
from engine.models import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from engine.models import LoadedModel

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def published(name: str, classes: int, transform_input: bool) -> nn.Module:
    """As torchvision makes it for its own file: with the heads of training."""
    torch.manual_seed(0)
    options = {"aux_logits": True, "init_weights": False, "transform_input": transform_input}
    network: nn.Module = models.get_model(name, weights=None, num_classes=classes, **options)
    return network.eval()


def loaded(
    folder: Path, name: str, network: nn.Module, normalisation: tuple[tuple[float, ...], tuple[float, ...]]
) -> LoadedModel:
    torch.save(network.state_dict(), folder / "w.pth")
    images = np.zeros((2, 3, 80, 80), dtype=np.uint8)
    dataset = Dataset("npz", images, np.array([0, 1]), *normalisation)
    return load_model(ModelConfig(arch=f"torchvision:{name}", weights=folder / "w.pth"), dataset)


@pytest.mark.parametrize(("name", "heads"), [("googlenet", "aux1 and aux2"), ("inception_v3", "AuxLogits")])
def test_published_files_run_as_torchvision_runs_them(tmp_path: Path, name: str, heads: str) -> None:
    network = published(name, 1000, transform_input=True)
    found = loaded(tmp_path, name, network, IMAGENET)
    x = torch.randn(2, 3, 80, 80, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(found.model(x), network(x))
    arch = f"torchvision:{name}"
    assert found.notes == (
        f"{arch}: images are taken to be normalised for ImageNet, and converted as torchvision does for its own "
        "weights",
        f"{arch}: {heads} in the file are left out, as only training uses them",
    )
    assert not [layer.name for layer in injectable_layers(found.model) if layer.name.startswith(("aux", "Aux"))]


@pytest.mark.parametrize(("classes", "normalisation"), [(7, IMAGENET), (1000, HALVES)])
def test_images_are_not_converted_where_the_weights_or_the_images_are_others(
    tmp_path: Path, classes: int, normalisation: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    network = published("googlenet", classes, transform_input=False)
    found = loaded(tmp_path, "googlenet", network, normalisation)
    x = torch.randn(2, 3, 80, 80, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(found.model(x), network(x))
    assert found.notes[0].startswith("torchvision:googlenet: images are taken as [dataset] normalises them;")


def test_a_head_of_another_size_does_not_matter(tmp_path: Path) -> None:
    network = published("googlenet", 1000, transform_input=False)
    network.fc = torch.nn.Linear(1024, 5)  # as one fine-tunes it
    assert loaded(tmp_path, "googlenet", network, IMAGENET).model(torch.zeros(2, 3, 80, 80)).shape == (2, 5)


@pytest.mark.parametrize("file", ["w.pth", "w.safetensors"])
def test_a_network_that_asks_for_its_version_gets_it(tmp_path: Path, file: str) -> None:
    """MNASNet refuses a file that does not say of which version it is, as none of safetensors does."""
    torch.manual_seed(0)
    network = models.get_model("mnasnet0_5", weights=None, num_classes=3).eval()
    (torch.save if file == "w.pth" else save_file)(network.state_dict(), tmp_path / file)
    dataset = Dataset("npz", np.zeros((2, 3, 32, 32), dtype=np.uint8), np.array([0, 1]))
    found = load_model(ModelConfig(arch="torchvision:mnasnet0_5", weights=tmp_path / file), dataset)
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(found.model(x), network(x))
