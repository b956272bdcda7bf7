"""Why a network has no graph, in the words of who wrote it: which line of the forward, and what to write instead."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.injection.injection import Injection
from tests.engine.injection.networks import every_bit_in, outcomes_of
from tests.engine.injection.test_fuzzed_networks import judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.injection.networks import Place

    Middle = Callable[["Network", Tensor], Any]

pytestmark = pytest.mark.usefixtures("one_thread")

OWN_LOGITS = "its graph does not give the network's own logits; write x = x + y where x += y changes what another name"
ALWAYS = "every fault runs the whole network, which is slower; "
BY_VALUE = "it decides by a value or a size of the images; decide by a constant, or use torch.where"
LOOP = "a loop over a tensor, or a * before it, is not recorded; work on the whole tensor"
VALUE = "it needs a value where only its place in the graph is known; take it from a constant"
NEW_TENSOR = "use an operation that gives a new tensor"


class Network(nn.Module):
    """What it does between its layers is given; images are [n, 3, 6, 6]."""

    def __init__(self, middle: Middle) -> None:
        super().__init__()
        self.first, self.head, self.middle = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 5), middle
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, 5]."""
        return self.head(self.middle(self, self.first(images)).mean((2, 3)))


def branch(_net: Network, x: Tensor) -> Tensor:
    return x if x.mean() > -1e9 else -x


def size_check(_net: Network, x: Tensor) -> Tensor:
    assert x.shape[1] == 4
    return x


def rows(_net: Network, x: Tensor) -> Tensor:
    return torch.stack([row.relu() for row in x])


def star(_net: Network, x: Tensor) -> Tensor:
    return x + torch.zeros(*x.shape, device=x.device)


def length(_net: Network, x: Tensor) -> Tensor:
    return x.reshape(len(x), 4, 6, 6)


def counted(_net: Network, x: Tensor) -> Tensor:
    return sum(x for _ in range(x.size(1)))  # type: ignore[return-value]


def number(_net: Network, x: Tensor) -> Tensor:
    return x * float(x.max() * 0 + 1)


def in_numpy(_net: Network, x: Tensor) -> Tensor:
    return torch.from_numpy(np.maximum(x.cpu().numpy(), 0)).to(x)


def new_tensor(_net: Network, x: Tensor) -> Tensor:
    return x + torch.zeros(x.size(0), 4, 1, 1, device=x.device)


def a_part(_net: Network, x: Tensor) -> Tensor:
    x[:, 0] = 0
    return x


def unknown_in_place(_net: Network, x: Tensor) -> Tensor:
    return x + x.clone().fill_(1.0)


def under_another_name(_net: Network, x: Tensor) -> Tensor:
    x.view(-1).relu_()
    return x


def written_to(_net: Network, x: Tensor) -> Tensor:
    return torch.add(x, 1, out=torch.empty_like(x))


def kept(net: Network, x: Tensor) -> Tensor:
    return x * net.scale.mul_(1.0)


def no_rows(_net: Network, x: Tensor) -> Tensor:
    return x + torch.arange(x.shape[-1], device=x.device)


def others(_net: Network, x: Tensor) -> Tensor:
    return x + x.cumsum(0) - x.cumsum(0)


def pairs(_net: Network, x: Tensor) -> Tensor:
    return x.view(2, -1, 4, 6, 6).relu().flatten(0, 1)


SENTENCES: dict[Middle, str] = {
    branch: f'("return x if x.mean() > -1e9 else -x"): {BY_VALUE}',
    size_check: f'("assert x.shape[1] == 4"): {BY_VALUE}',
    rows: f'("return torch.stack([row.relu() for row in x])"): {LOOP}',
    star: f'("return x + torch.zeros(*x.shape, device=x.device)"): {LOOP}',
    length: '("return x.reshape(len(x), 4, 6, 6)"): len() of a tensor is not recorded; use its .size(0)',
    counted: ": it needs a size as a number; take it from a constant",
    number: f'("return x * float(x.max() * 0 + 1)"): {VALUE}',
    in_numpy: '("return torch.from_numpy(np.maximum(x.cpu().numpy(), 0)).to(x)"): ',
    new_tensor: "; take sizes from constants, and make new tensors by torch.zeros_like or .new_zeros",
    a_part: '("x[:, 0] = 0"): assigning to a part of a tensor is not recorded; use torch.where or torch.cat',
    unknown_in_place: f'("return x + x.clone().fill_(1.0)"): fill_ works in place; {NEW_TENSOR}',
    under_another_name: f'("x.view(-1).relu_()"): it overwrites memory that | may name too; {NEW_TENSOR}',
    written_to: "): out= is not followed; use the result",
    kept: '("return x * net.scale.mul_(1.0)"): it overwrites a value that outlives the images; use a copy',
    no_rows: ": its result does not have one row for each image; keep the images in its first dimension, or take",
    others: '("return x + x.cumsum(0) - x.cumsum(0)"): its result for an image depends on the others; compute each',
    pairs: ": it fails for 3 or 2 images (shape '[2, -1, 4, 6, 6]' is invalid|); let it take any number of them",
}


@pytest.mark.parametrize("middle", SENTENCES, ids=lambda middle: middle.__name__)
def test_the_line_is_named_and_what_to_write_instead(middle: Middle, place: Place) -> None:
    torch.manual_seed(0)
    images = place(torch.rand(16, 3, 6, 6))
    net = place(Network(middle).eval().requires_grad_(False))
    note, *_ = Injection(net, images, 10**6, "fast").notes
    assert note.startswith(f"{ALWAYS}test_untraced.py, line "), note
    line = int(note.split("line ")[1].split(" ")[0])
    first = middle.__code__.co_firstlineno
    assert first < line <= first + 2
    assert all(part in note for part in SENTENCES[middle].split("|")), note


def test_an_operator_that_works_in_place_is_told_where_it_shows_under_another_name(place: Place) -> None:
    def shortcut(_net: Network, x: Tensor) -> Tensor:
        y = x
        y += x.relu()
        return y * x

    def alone(_net: Network, x: Tensor) -> Tensor:
        y = x.relu()
        y += x
        return y

    torch.manual_seed(0)
    images = place(torch.rand(16, 3, 6, 6))
    networks = [place(Network(each).eval().requires_grad_(False)) for each in (shortcut, alone)]
    of_both = [Injection(net, images, 10**6, "fast") for net in networks]
    assert [injection.method_of(0) for injection in of_both] == ["whole network", "fast"]
    assert OWN_LOGITS in of_both[0].notes[0]
    assert of_both[1].notes == []


def test_what_has_no_graph_is_right_all_the_same(place: Place) -> None:
    torch.manual_seed(0)
    images = place(torch.rand(16, 3, 6, 6))
    for middle in (branch, rows, number, a_part):
        net = place(Network(middle).eval().requires_grad_(False))
        plain, injection = deepcopy(net), Injection(net, images, 10**6, "fast")
        assert {injection.method_of(layer) for layer in range(2)} == {"whole network"}
        for layer in range(2):
            faults = every_bit_in(plain, layer, weights=1)
            found = np.concatenate([part.severity for part in outcomes_of(injection, images, faults)])
            np.testing.assert_array_equal(found, judged(plain, images, faults).severity)
