"""By how much the way from a faulty layer to where channels mix can make a change larger.

A fault changes one output channel. Each operation up to the places where channels mix takes that channel alone, and
makes the Euclidean norm of its change larger by a factor at most: docs/screening.md, (2), has the factors' reasons.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.injection.kernels.tiles import max_of_tiles
from engine.injection.network.channels import is_depthwise, is_reshape
from engine.injection.network.folded import norm_scale
from engine.injection.network.pooling import pair_of, pool_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from engine.injection.network.channels import ChannelMap
    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix

_FACTORS: Mapping[object, float] = {
    **dict.fromkeys((nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Softplus, nn.Identity), 1.0),
    **dict.fromkeys((nn.Dropout, nn.Dropout2d, F.dropout, "contiguous", "clone", max_of_tiles), 1.0),
    **dict.fromkeys((torch.relu, torch.sigmoid, torch.tanh, F.relu, F.relu6, F.hardsigmoid, F.sigmoid, F.tanh), 1.0),
    **dict.fromkeys(("relu", "sigmoid", "tanh", nn.CELU), 1.0),
    **dict.fromkeys((nn.GELU, F.gelu), 1.13),
    **dict.fromkeys((nn.SiLU, F.silu), 1.10),
    **dict.fromkeys((nn.Mish,), 1.09),
    **dict.fromkeys((nn.Hardswish, F.hardswish), 1.5),
    nn.SELU: 1.76,
}
"""the steepest slope of an activation; windows side by side lose a part of a change and never add to it"""

SUMS = frozenset({operator.add, operator.sub, torch.add, torch.sub, "add", "sub"})


class UnknownGrowthError(Exception):
    """An operation that nothing here knows a factor of."""


@dataclass(frozen=True)
class Growth:
    """The factors of the channels of one layer, relative to the change of its own output."""

    frontier: Mapping[fx.Node, Tensor]
    """[channels] by frontier value"""
    most: Tensor
    """[channels] of all values on the way"""


def growth_of(suffix: Suffix, network: Network) -> Growth | None:
    """How much a change after a layer may grow; None where an operation on the way has no known factor."""
    like = network.layers[0].weight
    factors: dict[fx.Node, Tensor] = {suffix.layer: torch.ones(suffix.channels, device=like.device)}
    try:
        for node in suffix.packed:
            factors[node] = _factor(node, suffix.maps, factors, network)
    except UnknownGrowthError:
        return None
    return Growth({node: factors[node] for node in suffix.frontier}, torch.stack([*factors.values()]).amax(0))


def _factor(
    node: fx.Node,
    maps: Mapping[fx.Node, ChannelMap],
    factors: Mapping[fx.Node, Tensor],
    network: Network,
) -> Tensor:
    """The factor of a packed node, [channels]."""
    kind, module = network.kind(node), network.module_of(node)
    changed = [parent for parent in node.all_input_nodes if parent in maps]
    if kind in SUMS:
        return _of_sum(node, factors)
    if len(changed) != 1:
        raise UnknownGrowthError
    (source,) = changed
    before = factors[source]
    if kind in (torch.cat, torch.concat, operator.getitem) or is_reshape(node, network) or pads_constant(node, kind):
        return before
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and kind in (nn.BatchNorm1d, nn.BatchNorm2d):
        return before * of_channels(norm_scale(module).abs(), maps[source])
    if isinstance(module, nn.Conv2d) and kind is nn.Conv2d and is_depthwise(module):
        return before * of_channels(module.weight.detach().abs().flatten(1).sum(1), maps[source])
    return before * _of_operation(node, kind, module, network.shapes[source], network.shapes[node])


def _of_sum(node: fx.Node, factors: Mapping[fx.Node, Tensor]) -> Tensor:
    """What is added twice counts twice; golden values do not change."""
    if len(node.args) != 2 or node.kwargs:  # a factor would be among them
        raise UnknownGrowthError
    changed = [factors[parent] for parent in node.args if isinstance(parent, fx.Node) and parent in factors]
    return torch.stack(changed).sum(0)


def of_channels(factor: Tensor, channel_map: ChannelMap) -> Tensor:
    """The largest `factor` [features] of each channel, [channels]."""
    first, size = channel_map.offset, channel_map.channels * channel_map.width
    return factor[first : first + size].view(channel_map.channels, channel_map.width).amax(1)


def pads_constant(node: fx.Node, kind: object) -> bool:
    """Whether a node puts constants around a value."""
    mode = node.args[2] if len(node.args) > 2 else node.kwargs.get("mode", "constant")
    return bool(kind is F.pad and mode == "constant")


def _of_operation(
    node: fx.Node, kind: object, module: nn.Module | None, before: torch.Size, after: torch.Size
) -> float:
    """The factor of an operation that treats all channels alike."""
    plain = len(node.args) == 1 and not node.kwargs
    if kind is max_of_tiles or (kind in _FACTORS and (plain or kind is F.dropout)):
        return _FACTORS[kind]
    if kind is nn.LeakyReLU and isinstance(module, nn.LeakyReLU):
        return max(1.0, abs(module.negative_slope))
    if kind is nn.ELU and isinstance(module, nn.ELU):
        return max(1.0, abs(module.alpha))
    if kind is nn.Hardtanh:
        return 1.0
    pool = pool_options(node, kind, module)
    if pool is not None:
        return math.sqrt(_windows_of_a_pixel(pool))
    if kind is nn.AvgPool2d:
        return _of_average(vars(module))
    if kind in (nn.AdaptiveAvgPool2d, F.adaptive_avg_pool2d, torch.mean, "mean"):
        return _of_share(before, after, is_mean=True)
    if kind in (nn.AdaptiveMaxPool2d, F.adaptive_max_pool2d):
        return _of_share(before, after, is_mean=False)
    raise UnknownGrowthError


def _windows_of_a_pixel(pool: Mapping[str, Any]) -> int:
    """How many windows hold a pixel, at most."""
    size = pair_of(pool["kernel_size"])
    stride = pair_of(pool.get("stride") or pool["kernel_size"])
    if pair_of(pool.get("dilation") or 1) != (1, 1):
        return size[0] * size[1]
    return math.ceil(size[0] / stride[0]) * math.ceil(size[1] / stride[1])


def _of_average(pool: Mapping[str, Any]) -> float:
    """A window's mean of n changes is at most their norm over the root of n; at a border n may be less."""
    windows = _windows_of_a_pixel(pool)
    is_whole = not pool.get("ceil_mode") and pool.get("divisor_override") is None
    is_whole = is_whole and (pair_of(pool.get("padding") or 0) == (0, 0) or bool(pool.get("count_include_pad")))
    if pool.get("divisor_override") is not None:
        raise UnknownGrowthError
    return math.sqrt(windows / math.prod(pair_of(pool["kernel_size"]))) if is_whole else math.sqrt(windows)


def _of_share(before: torch.Size, after: torch.Size, is_mean: bool) -> float:
    """Windows that share out all rows and columns; where they do not come out even, two of each hold a pixel."""
    if len(before) != 4:
        raise UnknownGrowthError
    rows, columns = (after[2], after[3]) if len(after) == 4 else (1, 1)
    if before[2] % rows or before[3] % columns:
        return 2.0
    return 1 / math.sqrt(before[2] * before[3] / (rows * columns)) if is_mean else 1.0
