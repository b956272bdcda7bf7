"""What no fault is put into is told part by part, and summed up in one sentence."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import convnext_tiny

from engine.injection.network.coverage import NotInjected, coverage, not_injected
from engine.models import build_model


class Scaled(nn.Conv2d):
    """A convolution with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__(3, 8, 3)
        self.gain = nn.Parameter(torch.ones(8))


class Mixed(nn.Module):
    """One of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, 8, 1))
        self.c = Scaled()
        self.norm = nn.BatchNorm2d(8)
        self.lstm = nn.LSTM(8, 8)
        self.attention = nn.MultiheadAttention(8, 2)
        self.words = nn.Embedding(5, 8)
        self.act = nn.PReLU()
        self.more = nn.ParameterList([torch.ones(2), torch.ones(3)])
        self.f = nn.Linear(8, 10, bias=False)


def test_each_part_is_named_with_its_kind_and_size() -> None:
    assert not_injected(Mixed()) == (
        NotInjected("scale", "Parameter", 8),
        NotInjected("c.bias", "bias", 8),
        NotInjected("c.gain", "Parameter", 8),
        NotInjected("norm", "BatchNorm2d", 16),
        NotInjected("lstm", "LSTM", 576),
        NotInjected("attention", "MultiheadAttention", 3 * 8 * 8 + 3 * 8),
        NotInjected("attention.out_proj.bias", "bias", 8),
        NotInjected("words", "Embedding", 40),
        NotInjected("act", "PReLU", 1),
        NotInjected("more", "ParameterList", 5),
    )


def test_the_sentence_sums_up() -> None:
    assert coverage(Mixed()).sentence == (
        "injected: 360 of 1,246 parameters (28.9 %), the weights of Conv2d and Linear; not injected: 576 in LSTM, 216 "
        "in MultiheadAttention, 40 in Embedding, 16 in other parameters, 16 in biases, 16 in norm layers, 5 in "
        "ParameterList and 1 in PReLU"
    )
    assert coverage(build_model("lenet5", 1, 10)).sentence == (
        "injected: 61,470 of 61,706 parameters (99.6 %), the weights of Conv2d and Linear; not injected: 236 in biases"
    )
    assert coverage(nn.Sequential(nn.Linear(2, 2, bias=False))).sentence == (
        "injected: 4 of 4 parameters (100.0 %), the weights of Linear; nothing is left out"
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (build_model("resnet20", 3, 10), False),
        (nn.Sequential(nn.Linear(2, 2), nn.GroupNorm(1, 2), nn.LayerNorm(2), nn.InstanceNorm2d(2, affine=True)), False),
        (nn.Sequential(nn.Linear(2, 2), nn.PReLU()), True),
        (convnext_tiny(num_classes=3), True),
    ],
)
def test_norms_and_biases_are_what_a_reader_expects_to_be_left_out(model: nn.Module, expected: bool) -> None:
    assert coverage(model).leaves_out_more_than_norms_and_biases is expected


def test_every_parameter_counts_once() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Embedding(4, 4))
    network[1].weight = network[0].weight
    network[1].bias = network[0].bias
    network[2].weight = network[0].weight
    assert not_injected(network) == (NotInjected("0.bias", "bias", 4),)
    assert coverage(network).parameters == sum(parameter.numel() for parameter in network.parameters()) == 20


def test_a_layer_that_extends_a_norm_is_a_norm() -> None:
    parts = {part.name: part for part in not_injected(convnext_tiny(num_classes=3))}
    assert parts["features.0.1"] == NotInjected("features.0.1", "LayerNorm", 2 * 96)
    assert parts["features.1.0.layer_scale"].kind == "Parameter"


def test_a_tied_bias_or_computed_weight_is_a_part_of_its_module() -> None:
    computed = nn.utils.parametrizations.weight_norm(nn.Linear(4, 6))
    assert not_injected(nn.Sequential(computed)) == (
        NotInjected("0", "Linear", 6),
        NotInjected("0.parametrizations.weight", "ParametrizationList", 30),
    )
