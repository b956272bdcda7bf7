"""Additions and activations that may overwrite what they read: nothing else needs it any more."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from torch import Tensor

    from engine.injection.network.graph import Network

_TOPS: dict[object, float | None] = {
    **{nn.ReLU: None, F.relu: None, torch.relu: None, "relu": None},
    **{nn.ReLU6: 6.0, F.relu6: 6.0},
}
"""activations that cut off what is negative, and where they cut off what is large"""

_ADDITIONS = (operator.add, torch.add, "add")


@dataclass(frozen=True)
class InPlace:
    """`target` is overwritten with the sum with `other`, or with its activation."""

    target: fx.Node
    other: fx.Node | None
    top: float | None

    def __call__(self, value_of: Callable[[fx.Node], Any]) -> Tensor:
        """The result, in the memory and of the shape of the target's value."""
        value: Tensor = value_of(self.target)
        if self.other is not None:
            return value.add_(value_of(self.other))
        return _cut_off(value, self.top)


def find_in_place(
    network: Network,
    steps: Collection[fx.Node],
    fresh: Collection[fx.Node],
) -> dict[fx.Node, InPlace]:
    """Which steps can work in place.

    Args:
        network: the graph.
        steps: nodes that are run, in order.
        fresh: nodes whose result is new memory that nobody else holds.
    """
    found: dict[fx.Node, InPlace] = {}
    owned = set(fresh) & set(steps)
    for node in steps:
        target = next((parent for parent in node.all_input_nodes if parent in owned and len(parent.users) == 1), None)
        if target is None:
            continue
        if _is_sum_of_two(node, network):
            if network.shapes.get(node) == network.shapes[target]:  # the other one may be the smaller
                (other,) = (parent for parent in node.args if isinstance(parent, fx.Node) and parent is not target)
                found[node] = InPlace(target, other, None)
        elif is_activation(node, network):
            found[node] = InPlace(target, None, _TOPS[network.kind(node)])
        if node in found:
            owned.add(node)
    return found


def activated(network: Network, node: fx.Node) -> fx.Node | None:
    """The activation that alone reads `node`, or alone reads the sum that alone reads it."""
    user = _only_user(node)
    if user is not None and _is_sum_of_two(user, network):
        user = _only_user(user)
    return user if user is not None and is_activation(user, network) else None


def activate(node: fx.Node, network: Network, value: Tensor) -> Tensor:
    """The result of an activation for `value`, of any shape, which it overwrites."""
    return _cut_off(value, _TOPS[network.kind(node)])


def _cut_off(value: Tensor, top: float | None) -> Tensor:
    return value.relu_() if top is None else value.clamp_(0, top)


def is_activation(node: fx.Node, network: Network) -> bool:
    """Whether its result is nowhere negative because it cuts that off."""
    return network.kind(node) in _TOPS and len(node.args) == 1 and not node.kwargs


def _is_sum_of_two(node: fx.Node, network: Network) -> bool:
    """Whether it adds two values, neither of them scaled, nor one to itself."""
    return (
        network.kind(node) in _ADDITIONS
        and len(node.args) == len(node.all_input_nodes) == 2
        and not node.kwargs
        and all(isinstance(parent, fx.Node) for parent in node.args)
    )


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None
