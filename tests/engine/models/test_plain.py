"""Networks as people return them: wrapped, compiled, lazy; and those whose weights cannot be changed one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from engine.datasets import Dataset
from engine.errors import InputError
from engine.injection.network.layers import injectable_layers
from tests.engine.models.own_network import load, made, write_factory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "body",
    [
        "return nn.DataParallel(Net())",
        "return torch.compile(Net())",
        "return nn.DataParallel(torch.compile(Net()))",
        "return torch.optim.swa_utils.AveragedModel(Net())",
        "net = Net()\nnet.c = nn.DataParallel(net.c)\nnet.f = torch.compile(net.f)\nreturn net",
        "net = Net()\nnet.compile()\nnet.c.compile()\nreturn net",
    ],
)
def test_wrappers_of_training_are_taken_off(tmp_path: Path, body: str) -> None:
    write_factory(tmp_path, body)
    wrapped = made(tmp_path)
    write_factory(tmp_path, "return Net()")
    bare = made(tmp_path).eval()
    write_factory(tmp_path, body)
    model = load(tmp_path, wrapped.state_dict()).model
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(model(x), bare(x))
    assert [layer.name for layer in injectable_layers(model)] == ["c", "f"]


def test_lazy_modules_take_their_shapes_from_the_images(tmp_path: Path) -> None:
    body = "return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(5))"
    write_factory(tmp_path, body)
    original = made(tmp_path).eval()
    x = torch.randn(2, 3, 8, 8)
    expected = original(x)
    model = load(tmp_path, original.state_dict()).model
    assert torch.equal(model(x), expected)
    assert [layer.shape for layer in injectable_layers(model)] == [(4, 3, 3, 3), (5, 144)]


def test_a_lazy_module_that_is_never_called_is_refused(tmp_path: Path) -> None:
    write_factory(tmp_path, "net = Net()\nnet.g = nn.LazyLinear(3)\nreturn net")
    with pytest.raises(InputError, match="fac:make: its lazy module g is never called; give it its shape, or leave it"):
        load(tmp_path, {})


def test_images_that_a_lazy_network_does_not_take_are_refused(tmp_path: Path) -> None:
    write_factory(tmp_path, "return nn.Sequential(nn.LazyConv2d(4, 9), nn.Flatten(), nn.LazyLinear(5))")
    with pytest.raises(InputError, match=r"npz: images of 3 x 8 x 8 do not fit fac:make \(.*; give \[dataset\] other"):
        load(tmp_path, {})


QUANTISED = """
net = Net()
net.f = torch.ao.nn.quantized.dynamic.Linear(4, 5)
return net
"""


@pytest.mark.filterwarnings("ignore")  # torch has advice on most of these
@pytest.mark.parametrize(
    ("body", "beginning", "end"),
    [
        ("return torch.jit.script(Net())", ": it is compiled by torch.jit", "return the nn.Module that was scripted or "
         "traced"),
        ("return torch.jit.trace(Net(), torch.zeros(2, 3, 8, 8))", ": it is compiled by torch.jit", "return the "
         "nn.Module that was scripted or traced"),
        ("net = Net()\nnet.c = torch.jit.script(net.c)\nreturn net", ": its module c is compiled by torch.jit",
         "return the nn.Module that was scripted or traced"),
        (QUANTISED, ": its module f is quantised (Linear)", "return the network as it was before quantisation"),
        ("return Net().to(device='meta')", ": its parameter c.weight is on the meta device, without values",
         "return a network with plain floating point parameters"),
        ("return Net().to(torch.complex64)", ": its parameter c.weight is complex64", "return a network with plain "
         "floating point parameters"),
        ("net = Net()\nnet.c.weight = nn.Parameter(net.c.weight.to(torch.int8), False)\nreturn net", ": its parameter "
         "c.weight is int8", "return a network with plain floating point parameters"),
        ("net = Net()\nnet.f.weight = nn.Parameter(net.f.weight.to_sparse())\nreturn net", ": its parameter f.weight "
         "is sparse", "return a network with plain floating point parameters"),
        ("return Net", "() returns the class Net instead of a network", "fix that callable"),
        ("return Net(), 'config'", "() returns tuple, but should return an nn.Module, which item 0 is", "fix that "
         "callable"),
    ],
)  # fmt: skip
def test_weights_that_cannot_be_changed_one_by_one_are_refused(
    tmp_path: Path, body: str, beginning: str, end: str
) -> None:
    write_factory(tmp_path, body)
    with pytest.raises(InputError) as error:
        load(tmp_path, {})
    assert str(error.value).startswith(f"fac:make{beginning}")
    assert str(error.value).endswith(f"; {end}")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_scripted_module_without_weights_may_stay(tmp_path: Path) -> None:
    write_factory(tmp_path, "return nn.Sequential(Net(), torch.jit.script(nn.ReLU()))")
    assert load(tmp_path).model(torch.zeros(1, 3, 8, 8)).shape == (1, 5)


def test_weights_that_two_modules_share_are_one_layer(tmp_path: Path) -> None:
    write_factory(
        tmp_path,
        """
        net = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3), nn.Flatten(), nn.Linear(48, 5))
        net[2].weight = net[0].weight
        return net
        """,
    )
    loaded = load(tmp_path)
    assert [layer.name for layer in injectable_layers(loaded.model)] == ["0", "4"]
    assert loaded.notes == ("2 has the weight of 0: it is counted once, as 0's, and a fault in it shows in both",)


def test_a_layer_that_has_the_weight_of_another_kind_of_module_is_a_layer_all_the_same(tmp_path: Path) -> None:
    write_factory(tmp_path, "net = Net()\nnet.a = nn.Embedding(5, 4)\nnet.a.weight = net.f.weight\nreturn net")
    loaded = load(tmp_path)
    assert [layer.name for layer in injectable_layers(loaded.model)] == ["c", "f"]
    assert loaded.notes == ()


@pytest.mark.parametrize(
    ("output", "kind", "end"),
    [
        ("(y, x)", "a tuple", "[0] of it is [2, 5]: return a network whose forward gives only that"),
        ("{'loss': None, 'logits': y}", "a dict", "['logits'] of it is [2, 5]: return a network whose forward gives "
         "only that"),
        ("types.SimpleNamespace(logits=y)", "a SimpleNamespace", ".logits of it is [2, 5]: return a network whose "
         "forward gives only that"),
        ("y[0]", "[5]", "fix [model] arch"),
        ("None", "a NoneType", "fix [model] arch"),
    ],
)  # fmt: skip
def test_an_output_with_logits_in_it_says_where_they_are(tmp_path: Path, output: str, kind: str, end: str) -> None:
    write_factory(
        tmp_path,
        f"""
        import types
        class Wrapped(Net):
            def forward(self, x):
                y = super().forward(x)
                return {output}
        return Wrapped()
        """,
    )
    with pytest.raises(InputError) as error:
        load(tmp_path)
    sentence = f"fac:make: its output for 2 images is {kind}, but should be logits [2, classes]; {end}"
    assert str(error.value) == sentence


def test_a_network_in_half_precision_is_run_in_float32(tmp_path: Path) -> None:
    write_factory(tmp_path, "return Net().half()")
    loaded = load(tmp_path)
    assert {value.dtype for value in loaded.model.state_dict().values()} == {torch.float32}
    assert loaded.notes == ()


def test_a_network_of_one_dimensional_convolutions_is_loaded(tmp_path: Path) -> None:
    body = "return nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 2, 3), nn.Flatten(), nn.Linear(124, 5))"
    write_factory(tmp_path, body)
    images = Dataset("npz", np.zeros((2, 3, 8, 8), dtype=np.uint8), np.array([0, 4]))
    assert load(tmp_path, dataset=images).model(torch.zeros(1, 3, 8, 8)).shape == (1, 5)
