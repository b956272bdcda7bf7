"""Where one output channel of a faulty layer lives in the values that follow it, for as long as channels stay apart."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from engine.injection.tiles import max_of_tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.injection.graph import Network


@dataclass(frozen=True)
class ChannelMap:
    """Channel k occupies [offset + k * width, offset + (k + 1) * width) of dimension `dim`."""

    channels: int
    dim: int = 1
    offset: int = 0
    width: int = 1

    def apart(self, value: Tensor) -> Tensor:
        """`value` [images, ...] as a view [images, channels, width, rest]."""
        values = value.movedim(self.dim, 1).narrow(1, self.offset, self.channels * self.width)
        return values.reshape(len(value), self.channels, self.width, -1)

    def put(self, value: Tensor, channel: Tensor, thin: Tensor, add: bool = False) -> None:
        """Overwrite channel `channel[row]` of each row of `value` with `thin` [rows, width, rest], or `add` it."""
        values = value.movedim(self.dim, 1)
        rows = torch.arange(len(value), device=value.device)[:, None]
        first = self.offset + channel[:, None] * self.width
        places = first + torch.arange(self.width, device=value.device)
        values.index_put_((rows, places), thin.view(len(value), self.width, *values.shape[2:]), accumulate=add)


_ELEMENTWISE_MODULES = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardtanh),
    *(nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardswish, nn.Softplus, nn.Identity, nn.Dropout, nn.Dropout2d),
)
_POOLING_MODULES = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_NORM_MODULES = (nn.BatchNorm1d, nn.BatchNorm2d)
_ELEMENTWISE_FUNCTIONS = frozenset(
    {
        *(torch.relu, torch.sigmoid, torch.tanh, F.relu, F.relu6, F.leaky_relu, F.elu, F.gelu, F.silu, F.hardtanh),
        *(F.hardswish, F.hardsigmoid, F.sigmoid, F.tanh, F.dropout),
    }
)
_POOLING_FUNCTIONS = frozenset(
    {F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d, torch.max_pool2d, max_of_tiles}
)
_ARITHMETIC = frozenset({operator.add, operator.sub, operator.mul, torch.add, torch.sub, torch.mul})
_ELEMENTWISE_METHODS = frozenset({"relu", "sigmoid", "tanh", "contiguous", "clone"})
_RESHAPES = frozenset({torch.flatten, torch.reshape, "flatten", "view", "reshape"})


def propagate(
    node: fx.Node, maps: Mapping[fx.Node, ChannelMap], shapes: Mapping[fx.Node, torch.Size], network: Network
) -> ChannelMap | None:
    """Where the channels live after `node`, or None where it mixes them (or nothing is known about it).

    Args:
        node: an operation on at least one value in which channels are still apart.
        maps: the channel map of each such value.
        shapes: of every tensor-valued node.
        network: the graph that `node` belongs to.
    """
    apart = [parent for parent in node.all_input_nodes if parent in maps]
    channel_map = maps[apart[0]]
    if any(maps[parent] != channel_map for parent in apart) or node not in shapes:
        return None
    target = network.modules[str(node.target)] if node.op == "call_module" else node.target
    if target in _ARITHMETIC or (node.op == "call_method" and target in {"add", "sub", "mul"}):
        return channel_map if _same_channels(node, channel_map, shapes) else None
    if target in (torch.cat, torch.concat):
        return _after_concat(node, maps, shapes)
    if len(apart) != 1 or node.args[0] is not apart[0]:
        return None
    return _after_unary(node, target, channel_map, shapes)


def is_reshape(node: fx.Node, network: Network) -> bool:
    """Whether it gives the values that it reads in another shape."""
    target = network.modules[str(node.target)] if node.op == "call_module" else node.target
    return isinstance(target, nn.Flatten) or target in _RESHAPES


def _after_unary(
    node: fx.Node, target: Any, channel_map: ChannelMap, shapes: Mapping[fx.Node, torch.Size]
) -> ChannelMap | None:
    before, after = shapes[node.all_input_nodes[0]], shapes[node]
    if isinstance(target, _ELEMENTWISE_MODULES) or target in _ELEMENTWISE_FUNCTIONS:
        return channel_map
    if node.op == "call_method" and target in _ELEMENTWISE_METHODS:
        return channel_map
    if isinstance(target, nn.Flatten) or target in _RESHAPES:
        return _after_flatten(channel_map, before, after)
    if channel_map.dim != 1:
        return None
    if isinstance(target, _NORM_MODULES):
        return channel_map
    if isinstance(target, _POOLING_MODULES) or target in _POOLING_FUNCTIONS:
        return channel_map if len(before) == 4 else None
    if isinstance(target, nn.Conv2d):
        is_depthwise = target.groups == target.in_channels == target.out_channels
        return channel_map if is_depthwise and channel_map.width == 1 else None
    if target in (torch.mean, "mean"):
        dims = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        is_spatial = isinstance(dims, list | tuple) and {int(dim) % len(before) for dim in dims} == {2, 3}
        return channel_map if is_spatial and len(before) == 4 else None
    if target is operator.getitem:
        return channel_map if _keeps_rows_and_channels(node.args[1]) else None
    if target is F.pad:
        return _after_pad(node, channel_map)
    return None


def _same_channels(node: fx.Node, channel_map: ChannelMap, shapes: Mapping[fx.Node, torch.Size]) -> bool:
    """Whether every tensor operand lines up with the channels: no broadcasting across them."""
    channels, ndim = shapes[node][channel_map.dim], len(shapes[node])
    operands = [shapes.get(parent) for parent in node.all_input_nodes]
    return all(shape is not None and len(shape) == ndim and shape[channel_map.dim] == channels for shape in operands)


def _after_concat(
    node: fx.Node, maps: Mapping[fx.Node, ChannelMap], shapes: Mapping[fx.Node, torch.Size]
) -> ChannelMap | None:
    parts: Any = node.args[0]
    dim: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
    if not isinstance(parts, list | tuple) or not all(isinstance(part, fx.Node) for part in parts):
        return None
    places = [place for place, part in enumerate(parts) if part in maps]
    if len(places) != 1 or maps[parts[places[0]]].dim != dim:
        return None  # a value concatenated with itself has its channels in two places
    before = sum(shapes[part][dim] for part in parts[: places[0]])
    channel_map = maps[parts[places[0]]]
    return replace(channel_map, offset=channel_map.offset + before)


def _after_flatten(channel_map: ChannelMap, before: torch.Size, after: torch.Size) -> ChannelMap | None:
    if channel_map.dim != 1 or len(after) != 2 or before[0] != after[0]:
        return None
    size = math.prod(before[2:])
    return replace(channel_map, offset=channel_map.offset * size, width=channel_map.width * size)


def _keeps_rows_and_channels(index: Any) -> bool:
    """Whether an index is slices only, and takes everything of the first two dimensions."""
    return (
        isinstance(index, tuple)
        and len(index) >= 2
        and all(isinstance(part, slice) for part in index)
        and all(part == slice(None) for part in index[:2])
    )


def _after_pad(node: fx.Node, channel_map: ChannelMap) -> ChannelMap | None:
    """`F.pad` counts from the last dimension: (left, right, top, bottom, channels before, channels after)."""
    padding: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("pad")
    if not isinstance(padding, list | tuple) or len(padding) not in (4, 6):
        return None
    if not all(isinstance(size, int) for size in padding):
        return None
    before = padding[4] if len(padding) == 6 else 0
    return replace(channel_map, offset=channel_map.offset + before)
