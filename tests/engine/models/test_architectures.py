"""The shapes of the networks, and that torch.fx can trace them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.config.campaign_config import NETWORKS
from engine.errors import InputError
from engine.models import ARCHITECTURES, build_model
from engine.models.mobilenetv2 import MobileNetV2
from engine.models.resnet import BasicBlock


def weights(model: nn.Module) -> int:
    """Of convolution and linear layers only, biases apart."""
    return sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize(
    ("arch", "channels", "size", "count"),
    [
        ("lenet5", 1, 28, 61_470),
        ("lenet5", 3, 32, 61_770),
        ("resnet9", 3, 32, 6_568_640),
        ("resnet18", 3, 32, 11_164_352),
        ("resnet20", 3, 32, 268_336),
        ("vgg11", 3, 32, 9_222_848),
        ("vgg16", 3, 32, 14_715_584),
        ("mobilenetv2", 3, 32, 2_202_560),
    ],
)
def test_the_literatures_weight_counts(arch: str, channels: int, size: int, count: int) -> None:
    model = build_model(arch, channels, 10).eval()
    assert weights(model) == count
    assert model(torch.zeros(2, channels, size, size)).shape == (2, 10)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_a_trace_gives_the_same_logits(arch: str, channels: int, size: int) -> None:
    torch.manual_seed(0)
    model = build_model(arch, channels, 7).eval()
    images = torch.rand(4, channels, size, size)
    assert model(images).shape == (4, 7)
    torch.testing.assert_close(torch.fx.symbolic_trace(model)(images), model(images), rtol=0, atol=0)


def test_option_a_keeps_every_other_pixel_between_zero_channels() -> None:
    block = build_model("resnet20", 3, 10).get_submodule("layer2.0")
    x = torch.rand(2, 16, 6, 6)
    assert isinstance(block, BasicBlock)
    out = block.shortcut(x)
    assert out.shape == (2, 32, 3, 3)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert out[:, :8].count_nonzero() == out[:, 24:].count_nonzero() == 0


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(InputError, match='no network "lenet6": use one of lenet5, resnet9'):
        build_model("lenet6", 1, 10)


def test_a_config_knows_the_same_names() -> None:
    assert tuple(ARCHITECTURES) == NETWORKS


@pytest.mark.parametrize(("width", "stem", "last"), [(1.0, 32, 1280), (0.5, 16, 640), (0.1, 8, 128), (1.4, 48, 1792)])
def test_width_scales_mobilenetv2_in_steps_of_8(width: float, stem: int, last: int) -> None:
    model = build_model("mobilenetv2", 3, 10, width)
    assert model.get_parameter("stem.0.weight").shape[0] == stem
    assert model.get_parameter("head.0.weight").shape[0] == last
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert all(convolution.out_channels % 8 == 0 for convolution in convolutions)


def test_mobilenetv2_keeps_the_size_in_all_but_three_stages() -> None:
    model = build_model("mobilenetv2", 3, 10, 0.25).eval()
    assert isinstance(model, MobileNetV2)
    assert model.blocks(model.stem(torch.zeros(1, 3, 32, 32))).shape[2:] == (4, 4)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("resnet19", r"did you mean torchvision:resnet18\?"),
        ("vit_b_16", "(use one of|did you mean)"),
        ("x", "use one of alexnet"),
    ],
)
def test_torchvision_has_only_so_many_cnns(name: str, mend: str) -> None:
    with pytest.raises(InputError, match=f'torchvision has no classification CNN "{name}".*{mend}'):
        build_model(f"torchvision:{name}", 3, 10)


def test_heads_for_training_are_left_out() -> None:
    model = build_model("torchvision:googlenet", 3, 10).eval()
    assert not [name for name, _ in model.named_parameters() if "aux" in name.lower()]
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 10)
