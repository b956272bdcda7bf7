"""Which modules hold the population: convolutions of every kind and linear layers, each weight once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from engine.errors import InputError
from engine.injection.network.coverage import coverage
from engine.injection.network.layers import injectable_layers, injectable_modules, is_injectable
from engine.injection.network.tracing import plain_class


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Conv1d(4, 6, 3), (6, 4, 3)),
        (nn.Conv2d(4, 6, 3, groups=2), (6, 2, 3, 3)),
        (nn.Conv3d(4, 6, 3), (6, 4, 3, 3, 3)),
        (nn.ConvTranspose1d(4, 6, 3), (4, 6, 3)),
        (nn.ConvTranspose2d(4, 6, 3), (4, 6, 3, 3)),
        (nn.ConvTranspose3d(4, 6, 3), (4, 6, 3, 3, 3)),
        (nn.Linear(4, 6), (6, 4)),
    ],
)
def test_convolutions_of_every_kind_are_injectable(module: nn.Module, shape: tuple[int, ...]) -> None:
    (layer,) = injectable_layers(nn.Sequential(nn.ReLU(), module))
    assert (layer.name, layer.shape) == ("1", shape)


@pytest.mark.parametrize(
    "module", [nn.LSTM(4, 6), nn.Embedding(4, 6), nn.BatchNorm2d(4), nn.PReLU(), nn.Bilinear(2, 3, 4)]
)
def test_modules_of_other_kinds_are_not(module: nn.Module) -> None:
    assert not is_injectable(module)
    with pytest.raises(
        InputError, match="the network has no convolution or linear layer to inject into; give one that has"
    ):
        injectable_layers(module)


def test_coverage_names_the_kinds_that_there_are() -> None:
    network = nn.Sequential(nn.Conv1d(2, 2, 1, bias=False), nn.ConvTranspose2d(2, 2, 1), nn.Conv1d(2, 2, 1, bias=False))
    assert coverage(network).sentence == (
        "injected: 12 of 14 parameters (85.7 %), the weights of Conv1d and ConvTranspose2d; not injected: 2 in biases"
    )


def test_a_weight_that_is_computed_in_each_forward_pass_is_not() -> None:
    assert not is_injectable(nn.utils.parametrizations.weight_norm(nn.Linear(4, 6)))


def test_a_weight_of_two_modules_is_the_layer_of_the_first() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 4))
    network[2].weight = network[0].weight
    network[2].register_parameter("bias", None)
    assert [name for name, _ in injectable_modules(network)] == ["0", "3"]
    with torch.no_grad():
        injectable_modules(network)[0][1].weight[0, 0] = 7.0
    assert network.state_dict()["2.weight"][0, 0] == 7.0


def test_a_module_that_is_called_twice_is_one_layer() -> None:
    layer = nn.Linear(4, 4)
    assert [name for name, _ in injectable_modules(nn.Sequential(layer, nn.ReLU(), layer))] == ["0"]


def test_a_layer_is_plain_where_nothing_but_torch_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class Named(nn.Conv2d):
        pass

    class Clipped(nn.ReLU):
        def forward(self, input: Tensor) -> Tensor:
            return input.clamp(0, 1)

    clipped = nn.ReLU()
    clipped.forward = lambda x: x.clamp(0, 1)  # type: ignore[method-assign, assignment]
    hooked = nn.Conv2d(1, 1, 1)
    hooked.register_forward_hook(lambda *_: None)
    assert [plain_class(each) for each in (Named(1, 1, 1), nn.ReLU())] == [nn.Conv2d, nn.ReLU]
    assert [plain_class(each) for each in (Clipped(), clipped, hooked)] == [None, None, None]
    everywhere = register_module_forward_hook(lambda *_: None)
    try:
        assert plain_class(nn.ReLU()) is None
    finally:
        everywhere.remove()
    assert plain_class(nn.ReLU()) is nn.ReLU
    monkeypatch.setattr(nn.ReLU, "forward", Clipped.forward)
    assert plain_class(nn.ReLU()) is None
