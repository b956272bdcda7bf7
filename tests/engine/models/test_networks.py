"""The shapes of the networks, and that torch.fx can trace them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.errors import InputError
from engine.models import build_model


def weights(model: nn.Module) -> int:
    """Of convolution and linear layers only, biases apart."""
    return sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize(
    ("arch", "channels", "size", "count"),
    [("lenet5", 1, 28, 61_470), ("lenet5", 3, 32, 61_770), ("resnet20", 3, 32, 268_336)],
)
def test_the_literatures_weight_counts(arch: str, channels: int, size: int, count: int) -> None:
    model = build_model(arch, channels, 10).eval()
    assert weights(model) == count
    assert model(torch.zeros(2, channels, size, size)).shape == (2, 10)


@pytest.mark.parametrize(("arch", "size"), [("lenet5", 28), ("resnet20", 28)])
def test_a_trace_gives_the_same_logits(arch: str, size: int) -> None:
    torch.manual_seed(0)
    model = build_model(arch, 1, 7).eval()
    images = torch.rand(16, 1, size, size)
    torch.testing.assert_close(torch.fx.symbolic_trace(model)(images), model(images), rtol=0, atol=0)


def test_option_a_keeps_every_other_pixel_between_zero_channels() -> None:
    block = build_model("resnet20", 3, 10).get_submodule("layer2.0")
    x = torch.rand(2, 16, 6, 6)
    out = block.shortcut(x)
    assert out.shape == (2, 32, 3, 3)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert out[:, :8].count_nonzero() == out[:, 24:].count_nonzero() == 0


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(InputError, match='no network "lenet6": use one of lenet5, resnet20'):
        build_model("lenet6", 1, 10)
