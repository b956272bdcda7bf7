"""Weights that are computed from others are folded to what a forward pass uses, or the network is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from engine.errors import InputError
from tests.engine.models.own_network import load, made, write_factory

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")

DOUBLED = """
class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight
net = Net()
parametrize.register_parametrization(net.c, "weight", Doubled())
return net
"""


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("net = Net()\ntorch.nn.utils.weight_norm(net.c)\nreturn net", "weight_norm"),
        ("net = Net()\nparametrizations.weight_norm(net.c)\nreturn net", "weight_norm"),
        ("net = Net()\ntorch.nn.utils.spectral_norm(net.c)\nreturn net", "spectral_norm"),
        ("net = Net()\nparametrizations.spectral_norm(net.c)\nreturn net", "spectral_norm"),
        ("net = Net()\nparametrizations.orthogonal(net.c)\nreturn net", "orthogonal"),
        ("net = Net()\nprune.l1_unstructured(net.c, 'weight', 0.5)\nreturn net", "pruning mask"),
        (DOUBLED, "Doubled"),
    ],
)
def test_a_computed_weight_becomes_the_plain_one_that_it_gives(tmp_path: Path, body: str, how: str) -> None:
    write_factory(tmp_path, body)
    original = made(tmp_path)
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        original(x)  # in training mode: a spectral norm goes on
        expected = original.eval()(x)
    loaded = load(tmp_path, original.state_dict())
    assert torch.equal(loaded.model(x), expected)
    layer = loaded.model.get_submodule("c")
    assert set(layer._parameters) == {"weight", "bias"}
    assert loaded.notes == (f"c: its weight is computed ({how}); faults are put into the weight that it gives",)
    with torch.no_grad():
        layer.get_parameter("weight")[0, 0, 0, 0] = 1000.0
    assert not torch.equal(loaded.model(x), expected)


def test_norms_of_a_pruned_tensor_are_folded_after_its_mask(tmp_path: Path) -> None:
    write_factory(
        tmp_path,
        "net = Net()\ntorch.nn.utils.weight_norm(net.c)\nprune.random_unstructured(net.c, 'weight_v', 0.5)\nreturn net",
    )
    original = made(tmp_path)
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        original(x)
        expected = original.eval()(x)
    assert torch.equal(load(tmp_path, original.state_dict()).model(x), expected)


def test_weights_computed_from_one_original_do_not_change_each_other(tmp_path: Path) -> None:
    write_factory(
        tmp_path,
        """
        class Doubled(nn.Module):
            def forward(self, weight):
                return 2 * weight
        net = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3), nn.Flatten(), nn.Linear(48, 5))
        net[1].weight = net[0].weight
        for layer in net[:2]:
            parametrize.register_parametrization(layer, "weight", Doubled())
        return net
        """,
    )
    original = made(tmp_path).eval()
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(load(tmp_path, original.state_dict()).model(x), original(x))


def test_the_weights_of_an_older_weight_norm_fit_the_newer_one(tmp_path: Path) -> None:
    write_factory(tmp_path, "net = Net()\ntorch.nn.utils.weight_norm(net.c)\nreturn net")
    older = made(tmp_path)
    write_factory(tmp_path, "net = Net()\nparametrizations.weight_norm(net.c)\nreturn net")
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(load(tmp_path, older.state_dict()).model(x), older.eval()(x))


def test_the_hash_is_of_the_weight_that_the_network_runs_with(tmp_path: Path) -> None:
    write_factory(tmp_path, "net = Net()\nprune.l1_unstructured(net.c, 'weight', 0.5)\nreturn net")
    state = made(tmp_path).state_dict()
    hashes = [load(tmp_path, state).weights_sha256]
    for mask in (0, 1):  # what is masked has no effect
        place = (state["c.weight_mask"] == mask).nonzero()[0]
        changed = state["c.weight_orig"].clone()
        changed[tuple(place)] *= 2
        hashes.append(load(tmp_path, state | {"c.weight_orig": changed}).weights_sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_plain_network_has_no_notes_and_keeps_its_weights(tmp_path: Path) -> None:
    write_factory(tmp_path, "return Net()")
    loaded = load(tmp_path)
    assert loaded.notes == ()
    assert all(
        torch.equal(value, loaded.model.state_dict()[name]) for name, value in made(tmp_path).state_dict().items()
    )


HOOK = """
net = Net()
raw = nn.Parameter(net.c.weight.detach().clone())
{keep}
def compute(module, inputs):
    {compute}
net.c.register_forward_pre_hook(compute)
return net
"""


@pytest.mark.parametrize(
    "body",
    [
        HOOK.format(keep="del net.c.weight; net.c.raw = raw", compute="module.weight = 2 * module.raw"),
        HOOK.format(keep="net.c.raw = raw", compute="module.weight.data = module.raw.data.sign()"),
        HOOK.format(keep="net.c.raw = raw", compute="module.weight = nn.Parameter(2 * module.raw)"),
        "net = Net()\nweight = net.c.weight.detach()\ndel net.c.weight\nnet.c.weight = weight\nreturn net",
    ],
)
def test_a_weight_that_an_unknown_hook_sets_is_refused(tmp_path: Path, body: str) -> None:
    write_factory(tmp_path, body)
    with pytest.raises(InputError) as error:
        load(tmp_path)
    assert str(error.value) == (
        "fac:make: the weight of c is set anew in each forward pass, which would undo a fault in it; return a network "
        "in which that weight is an nn.Parameter that keeps its value"
    )


def test_a_parametrization_that_fails_is_named(tmp_path: Path) -> None:
    write_factory(tmp_path, DOUBLED.replace("return 2 * weight", "return weight if self.training else weight.view(0)"))
    with pytest.raises(InputError, match=r"fac:make: computing weight \(Doubled\) fails with shape "):
        load(tmp_path)
