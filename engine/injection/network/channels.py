"""Where one output channel of a faulty layer lives in the values that follow it, for as long as channels stay apart."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from engine.injection.kernels.tiles import max_of_tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.injection.network.graph import Network


@dataclass(frozen=True)
class ChannelMap:
    """Channel k occupies [offset + k * width, offset + (k + 1) * width) of dimension `dim`."""

    channels: int
    dim: int = 1
    offset: int = 0
    width: int = 1

    def apart(self, value: Tensor) -> Tensor:
        """`value` [images, ...] as a view [images, channels, width, rest].

        >>> ChannelMap(channels=3).apart(torch.zeros(8, 3, 5, 5)).shape
        torch.Size([8, 3, 1, 25])
        """
        values = value.movedim(self.dim, 1).narrow(1, self.offset, self.channels * self.width)
        return values.reshape(len(value), self.channels, self.width, -1)

    def put(self, value: Tensor, channel: Tensor, changed: Tensor, add: bool = False) -> None:
        """Overwrite channel `channel[row]` of each row of `value` with `changed` [rows, width, rest], or `add` it."""
        values = value.movedim(self.dim, 1)
        rows = torch.arange(len(value), device=value.device)[:, None]
        first = self.offset + channel[:, None] * self.width
        places = first + torch.arange(self.width, device=value.device)
        values.index_put_((rows, places), changed.view(len(value), self.width, *values.shape[2:]), accumulate=add)


_ELEMENTWISE = frozenset(
    {
        *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardtanh),
        *(nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardswish, nn.Softplus, nn.Identity, nn.Dropout, nn.Dropout2d),
        *(torch.relu, torch.sigmoid, torch.tanh, F.relu, F.relu6, F.leaky_relu, F.elu, F.gelu, F.silu, F.hardtanh),
        *(F.hardswish, F.hardsigmoid, F.sigmoid, F.tanh, F.dropout),
        *("relu", "sigmoid", "tanh", "contiguous", "clone"),
    }
)
_NORMS = frozenset({nn.BatchNorm1d, nn.BatchNorm2d})
_POOLINGS = frozenset(
    {
        *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
        *(F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d, torch.max_pool2d, max_of_tiles),
    }
)
_ARITHMETIC = frozenset(
    {operator.add, operator.sub, operator.mul, torch.add, torch.sub, torch.mul, "add", "sub", "mul"}
)
_RESHAPES = frozenset({nn.Flatten, torch.flatten, torch.reshape, "flatten", "view", "reshape"})


def propagate(node: fx.Node, maps: Mapping[fx.Node, ChannelMap], network: Network) -> ChannelMap | None:
    """Where the channels live after `node`, or None where it mixes them (or nothing is known about it).

    Args:
        node: an operation on at least one value in which channels are still apart.
        maps: the channel map of each such value.
        network: the graph that `node` belongs to.
    """
    apart = [parent for parent in node.all_input_nodes if parent in maps]
    channel_map = maps[apart[0]]
    if any(maps[parent] != channel_map for parent in apart) or node not in network.shapes:
        return None
    kind = network.kind(node)
    if kind in _ARITHMETIC:
        return channel_map if _same_channels(node, channel_map, network) else None
    if kind in (torch.cat, torch.concat):
        return _after_concat(node, maps, network)
    if not node.args or node.all_input_nodes != [node.args[0]]:
        return None
    return _after_unary(node, channel_map, network)


def is_reshape(node: fx.Node, network: Network) -> bool:
    """Whether it gives the values that it reads in another shape."""
    return network.kind(node) in _RESHAPES


def is_depthwise(module: nn.Conv2d) -> bool:
    """Whether each of its channels reads the same channel alone."""
    return module.groups == module.in_channels == module.out_channels


def _after_unary(node: fx.Node, channel_map: ChannelMap, network: Network) -> ChannelMap | None:
    kind, module = network.kind(node), network.module_of(node)
    before, after = network.shapes[node.all_input_nodes[0]], network.shapes[node]
    if kind in _ELEMENTWISE:
        return channel_map
    if kind in _RESHAPES:
        return _after_flatten(channel_map, before, after)
    if channel_map.dim != 1:
        return None
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and kind in _NORMS:
        return channel_map if module.running_mean is not None and not module.training else None
    if kind in _POOLINGS:
        return channel_map if len(before) == 4 else None
    if isinstance(module, nn.Conv2d) and kind is nn.Conv2d:
        return channel_map if len(before) == 4 and is_depthwise(module) and channel_map.width == 1 else None
    if kind in (torch.mean, "mean"):
        return channel_map if len(before) == 4 and _dims_of_mean(node) == {2, 3} else None
    if kind is operator.getitem:
        return channel_map if _keeps_rows_and_channels(node.args[1]) else None
    if kind is F.pad:
        return _after_pad(node, channel_map, len(before))
    return None


def _dims_of_mean(node: fx.Node) -> set[int] | None:
    """The dimensions of a value of four that a mean is taken over, where they are given as numbers."""
    dims: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    if not isinstance(dims, list | tuple) or not all(isinstance(dim, int) for dim in dims):
        return None
    return {dim % 4 for dim in dims}


def _same_channels(node: fx.Node, channel_map: ChannelMap, network: Network) -> bool:
    """Whether every tensor operand lines up with the channels: no broadcasting across them."""
    channels, ndim = network.shapes[node][channel_map.dim], len(network.shapes[node])
    operands = [network.shapes.get(parent) for parent in node.all_input_nodes]
    return all(shape is not None and len(shape) == ndim and shape[channel_map.dim] == channels for shape in operands)


def _after_concat(node: fx.Node, maps: Mapping[fx.Node, ChannelMap], network: Network) -> ChannelMap | None:
    parts: Any = node.args[0] if node.args else None
    dim: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
    if not isinstance(parts, list | tuple) or not all(isinstance(part, fx.Node) for part in parts):
        return None
    places = [place for place, part in enumerate(parts) if part in maps]
    if len(places) != 1 or not isinstance(dim, int) or dim % len(network.shapes[node]) != maps[parts[places[0]]].dim:
        return None  # a value concatenated with itself has its channels in two places
    before = sum(network.shapes[part][dim] for part in parts[: places[0]])
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


def _after_pad(node: fx.Node, channel_map: ChannelMap, ndim: int) -> ChannelMap | None:
    """`F.pad` counts from the last dimension: two numbers for each, those of the channels after the others'.

    Args:
        node: the padding.
        channel_map: of what it pads; channels in dimension 1.
        ndim: dimensions of what it pads.
    """
    padding: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("pad")
    mode = node.args[2] if len(node.args) > 2 else node.kwargs.get("mode", "constant")
    of_rest, of_channels = 2 * (ndim - 2), 2 * (ndim - 1)
    if not isinstance(padding, list | tuple) or not all(isinstance(size, int) for size in padding):
        return None
    if len(padding) <= of_rest:
        return channel_map
    if len(padding) != of_channels or mode != "constant" or min(padding[of_rest:]) < 0:
        return None
    return replace(channel_map, offset=channel_map.offset + padding[of_rest])
