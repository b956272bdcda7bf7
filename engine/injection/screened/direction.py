"""Which way a change goes until channels mix, and whether it can take more than there is.

Where values cannot fall below zero, as after a ReLU, a change downwards takes at most what is there, however large the
faulty weight: docs/screening.md, (3).
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from engine.injection.kernels.tiles import max_of_tiles
from engine.injection.network.channels import is_reshape
from engine.injection.network.folded import norm_scale
from engine.injection.network.pooling import pool_options
from engine.injection.screened.growth import SUMS, of_channels, pads_constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, fx

    from engine.injection.network.channels import ChannelMap
    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix

_NEVER_NEGATIVE = frozenset(
    {nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Hardsigmoid, nn.Softplus, torch.relu, torch.sigmoid, F.relu, F.relu6}
    | {F.sigmoid, F.hardsigmoid, "relu", "sigmoid"}
)
"""activations that rise and whose values are never below zero"""

_RISING = frozenset({nn.Tanh, nn.CELU, nn.ELU, nn.SELU, nn.Hardtanh, nn.LeakyReLU, torch.tanh, F.tanh, "tanh"})
"""activations that rise too; a slope below zero is asked for nowhere, and is refused here"""

_KEEP = frozenset(
    {nn.Identity, nn.Dropout, nn.Dropout2d, F.dropout, "contiguous", "clone", max_of_tiles, nn.AvgPool2d}
    | {nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d, torch.mean, "mean"}
    | {torch.cat, torch.concat, operator.getitem}
)
"""of those that `_keeps` tells, the ones that are known by their kind alone"""


def direction_of(suffix: Suffix, network: Network) -> Tensor | None:
    """How a rise of each channel of a layer's output arrives where channels mix, [channels]: 1 or -1, 0 where unknown.

    None where values there may be negative, so that a change can take any amount.
    """
    like = network.layers[0].weight
    ways: dict[fx.Node, Tensor] = {suffix.layer: torch.ones(suffix.channels, device=like.device)}
    floored: dict[fx.Node, bool] = {suffix.layer: False}
    for node in suffix.packed:
        way = _way(node, suffix.maps, ways, network)
        if way is None:
            return None
        ways[node] = way
        keeps = _keeps(node, network) and all(floored[each] for each in node.all_input_nodes if each in floored)
        floored[node] = keeps or network.kind(node) in _NEVER_NEGATIVE
    if not all(floored[node] for node in suffix.frontier):
        return None
    found = torch.stack([ways[node] for node in suffix.frontier])
    return torch.where((found == found[0]).all(0), found[0], 0)


def _keeps(node: fx.Node, network: Network) -> bool:
    """Whether a node neither turns a change round nor makes a value negative that was not."""
    kind = network.kind(node)
    is_pool = pool_options(node, kind, network.module_of(node)) is not None
    return kind in _KEEP or is_pool or is_reshape(node, network) or pads_constant(node, kind)


def _way(
    node: fx.Node, maps: Mapping[fx.Node, ChannelMap], ways: Mapping[fx.Node, Tensor], network: Network
) -> Tensor | None:
    """The direction after a packed node, [channels]; None where it may turn changes round in a way unknown here."""
    kind, module = network.kind(node), network.module_of(node)
    changed = [parent for parent in node.all_input_nodes if parent in maps]
    if kind in SUMS:
        return _way_of_sum(node, ways)
    if len(changed) != 1:
        return None
    before = ways[changed[0]]
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and kind in (nn.BatchNorm1d, nn.BatchNorm2d):
        scale = norm_scale(module)
        lowest, highest = -of_channels(-scale, maps[changed[0]]), of_channels(scale, maps[changed[0]])
        return before * torch.where(lowest.sign() == highest.sign(), highest.sign(), 0)
    if isinstance(module, nn.LeakyReLU) and module.negative_slope < 0:
        return None
    if isinstance(module, nn.ELU) and module.alpha < 0:
        return None
    return before if kind in _NEVER_NEGATIVE or kind in _RISING or _keeps(node, network) else None


def _way_of_sum(node: fx.Node, ways: Mapping[fx.Node, Tensor]) -> Tensor | None:
    """How a rise arrives after a plain sum or difference of two values, [channels]; None of anything else."""
    if len(node.args) != 2 or node.kwargs:
        return None
    is_difference = getattr(node.target, "__name__", node.target) in ("sub", "sub_")
    found = [
        -ways[parent] if place and is_difference else ways[parent]
        for place, parent in enumerate(node.args)
        if isinstance(parent, type(node)) and parent in ways
    ]
    return torch.where(found[0] == found[-1], found[0], 0)
