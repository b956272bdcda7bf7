"""What a layer reads, as metrics get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.datasets import Dataset
from engine.errors import InputError
from engine.metrics.metric import Metric
from engine.running.metric_input import take_features

if TYPE_CHECKING:
    from engine.steps import Step

IMAGES = 7


class Net(nn.Module):
    """Two layers that are run, and one that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.unused = nn.Linear(4, 4)
        self.last = nn.Linear(2 * 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        features = torch.relu(self.conv(images))
        images.zero_()  # a network may write to its input
        logits: Tensor = self.last(features.flatten(1).squeeze())
        return logits


def dataset() -> Dataset:
    images = np.random.default_rng(0).random((IMAGES, 1, 4, 4), np.float32)
    return Dataset("made", images, np.zeros(IMAGES, np.int64))


def reads(layer: str) -> Metric:
    return Metric(
        "new", "what is new", lambda given: given.features[:, 0].astype(np.float64), needs="features", layer=layer
    )


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
@pytest.mark.parametrize("layer", ["", "last"])
def test_features_are_what_the_layer_reads_whatever_the_batches(rows: int, layer: str) -> None:
    torch.manual_seed(0)
    model, images = Net().eval(), dataset()
    taken = take_features(reads(layer), model, images, "cpu", rows)
    with torch.no_grad():
        expected = torch.relu(model.conv(torch.from_numpy(images.batch(slice(None))))).flatten(1)
    assert taken.shape == (IMAGES, 8)
    assert taken.dtype == np.float32
    np.testing.assert_allclose(taken, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_the_features_of_the_first_layer_are_the_images() -> None:
    images = dataset()
    taken = take_features(reads("conv"), Net().eval(), images, "cpu", 3)
    np.testing.assert_array_equal(taken, images.images[:].reshape(IMAGES, -1))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("nowhere", "metric: new reads the layer nowhere, which the network lacks; .* one of conv, unused, last"),
        ("unused", "metric: new reads the layer unused, which the network does not run"),
    ],
)
def test_a_layer_that_gives_no_features_is_named_and_no_hook_stays(layer: str, sentence: str) -> None:
    model = Net().eval()
    with pytest.raises(InputError, match=sentence):
        take_features(reads(layer), model, dataset(), "cpu", 3)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_how_much_is_done_is_told() -> None:
    steps: list[Step] = []
    take_features(reads(""), Net().eval(), dataset(), "cpu", 3, steps.append)
    assert [(step.done, step.total) for step in steps] == [(0, IMAGES), (3, IMAGES), (6, IMAGES)]
