"""How far a change in one layer's values can move one class against another, whatever the activations after it do.

Every operation after a faulty channel is bounded by a linear one with no negative coefficient: a layer by the absolute
values of its weights, an activation that never grows a difference by the identity, max pooling by the sum over its
window. What is bounded by them all is a sum over the changed values, each times a coefficient: the adjoint of the
bounding network, applied to the difference of two rows of the last layer. docs/engine.md, (4), has the inequality and
its reasons.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from engine.injection.network.channels import is_reshape
from engine.injection.network.pooling import pool_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.injection.network.folded import FoldedLayer
    from engine.injection.network.folded_suffix import FoldedSuffix
    from engine.injection.network.graph import Network

_NEVER_GROWING = frozenset(
    {
        *(nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Identity, nn.Dropout, nn.Dropout2d),
        *(torch.relu, torch.sigmoid, torch.tanh, F.relu, F.relu6, F.hardtanh, F.hardsigmoid, F.sigmoid, F.tanh),
        *(F.dropout, "relu", "sigmoid", "tanh", "contiguous", "clone"),
    }
)
"""what never makes a difference larger"""

_AVERAGES = frozenset(
    {
        *(nn.AvgPool2d, nn.AdaptiveAvgPool2d, F.avg_pool2d, F.adaptive_avg_pool2d, torch.mean, F.pad),
        *("mean", operator.getitem),
    }
)
"""what is linear in what it reads, with no negative coefficient"""

_SUMS = frozenset({operator.add, operator.sub, torch.add, torch.sub, "add", "sub"})


MOST_CLASSES = 16
"""with more, all pairs of classes would cost more than they save"""


class UnboundedError(Exception):
    """An operation that nothing here bounds."""


def class_pairs(classes: int) -> Tensor:
    """All pairs of distinct classes, the smaller one first, [pairs, 2].

    >>> class_pairs(3).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    return torch.combinations(torch.arange(classes))


def change_bound_of(suffix: FoldedSuffix, network: Network) -> dict[fx.Node, Tensor] | None:
    """Coefficients [class pairs, ...] of each frontier value of a suffix.

    For each pair of classes, |change of the difference of their logits| <= the sum of |change of a value| times its
    coefficient. None where the last layer is not linear, or an operation is not bounded.
    """
    head = suffix.updates.get(network.output) or suffix.layers.get(network.output)
    if head is None or not head.is_linear or head.ndim != 2 or len(head.weight) > MOST_CLASSES:
        return None
    with torch.inference_mode(False), torch.enable_grad():
        pairs = class_pairs(len(head.weight)).to(head.weight.device)
        values: dict[fx.Node, Any] = {
            node: torch.zeros(len(pairs), *network.shapes[node][1:], device=head.weight.device, requires_grad=True)
            for node in suffix.suffix.frontier
        }
        frontier = list(values.values())
        try:
            for node in suffix.steps:
                if node is not network.output:
                    values[node] = _bounding(node, suffix, network, values)
                    if values[node].shape[1:] != network.shapes[node][1:]:
                        return None
        except (UnboundedError, KeyError, RuntimeError):
            return None  # a value is not followed, is not as thought, or memory does not hold its bounds: all are run
        apart = (head.weight[pairs[:, 0]] - head.weight[pairs[:, 1]]).abs()
        moved = (values[head.source] * apart).sum()
        gradients = torch.autograd.grad(moved, frontier, allow_unused=True)
    return {
        node: torch.zeros_like(value) if gradient is None else gradient
        for node, value, gradient in zip(suffix.suffix.frontier, frontier, gradients, strict=True)
    }


def _bounding(
    node: fx.Node,
    suffix: FoldedSuffix,
    network: Network,
    values: dict[fx.Node, Any],
) -> Any:
    """The bound of one node's change, from those of what it reads; golden values do not change."""
    layer = suffix.updates.get(node) or suffix.layers.get(node)
    if layer is not None:
        return _bounding_layer(layer, values[layer.source])
    if node in suffix.tiled:  # its activation never grows a difference
        return F.avg_pool2d(values[suffix.tiled[node].source], suffix.tiled[node].tile, divisor_override=1)
    kind = network.kind(node)
    if kind in _SUMS:
        return _bounding_sum(node, network, values)
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node) or source not in values:
        raise UnboundedError
    change = values[source]
    if is_reshape(node, network) and [parent for parent in node.all_input_nodes if parent in values] == [source]:
        return change.reshape(len(change), *network.shapes[node][1:])  # rows stay rows, the rest in the same order
    if node.all_input_nodes != [source]:
        raise UnboundedError
    if kind in _NEVER_GROWING:
        return change
    pool = pool_options(node, kind, network.module_of(node))
    if pool is not None:
        return _sum_of_windows(change, pool)
    if kind in _AVERAGES:
        return network.evaluate(node, values.__getitem__)
    raise UnboundedError


def _bounding_sum(node: fx.Node, network: Network, values: Mapping[fx.Node, Any]) -> Tensor:
    """Each changed operand's bound, as often as it is added; one that is spread over more values counts for each."""
    if len(node.args) != 2 or node.kwargs:  # a factor would be among them
        raise UnboundedError
    changed = [values[parent] for parent in node.args if isinstance(parent, fx.Node) and parent in values]
    if any(value.ndim != len(network.shapes[node]) for value in changed):
        raise UnboundedError
    bounds: list[Tensor] = [value.expand(len(value), *network.shapes[node][1:]) for value in changed]
    return torch.stack(bounds).sum(0)


def _bounding_layer(layer: FoldedLayer, change: Tensor) -> Tensor:
    weight, module = layer.weight.abs(), layer.module
    if isinstance(module, nn.Linear):
        return F.linear(change, weight)
    return F.conv2d(change, weight, None, module.stride, module.padding, module.dilation, module.groups)


def _sum_of_windows(change: Tensor, pool: Mapping[str, Any]) -> Tensor:
    if (pool.get("dilation") or 1) not in (1, (1, 1)) or pool.get("return_indices"):
        raise UnboundedError
    stride, padding = pool.get("stride"), pool.get("padding") or 0
    return F.avg_pool2d(change, pool["kernel_size"], stride, padding, bool(pool.get("ceil_mode")), divisor_override=1)
