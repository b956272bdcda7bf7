"""Where in the user's code a node of the graph was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from engine.injection.network.tracing import OneInput, place_of, trace_graph

if TYPE_CHECKING:
    from torch import Tensor


def doubled(x: Tensor) -> Tensor:
    return x + x


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        x = self.layers(images)
        x = doubled(x)
        return torch.flatten(x, 1)


def test_each_node_knows_the_innermost_line_of_the_users_code() -> None:
    """A layer that a layer of torch calls has the line that called the outer one; an input and an output have none."""
    assert [place_of(node).partition(", line ")[::2] for node in trace_graph(OneInput(Network())).nodes] == [
        ("the operation images", ""),
        *2 * [("test_tracing.py", f'{line_of("self.layers(images)")} ("x = self.layers(images)")')],
        ("test_tracing.py", f'{line_of("return x + x")} ("return x + x")'),
        ("test_tracing.py", f'{line_of("return torch.flatten")} ("return torch.flatten(x, 1)")'),
        ("the operation output", ""),
    ]


def line_of(code: str) -> int:
    """The first line of this file with it."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if code in line)
