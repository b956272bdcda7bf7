"""Max pooling whose windows lie side by side, as maxima of slices.

The same values to the bit, in whatever memory layout the input has (measured on CPU: 2 ms instead of 22). `fast` runs
an activation before it after it, on what is left: both are increasing, so that the result is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.injection.network.in_place import activate, is_activation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from torch import Tensor

    from engine.injection.network.graph import Network

_ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")


def pool_options(node: fx.Node, network: Network) -> Mapping[str, Any] | None:
    """The arguments of a max pooling by name, if the node is one; one that reads a size is not looked into."""
    if len(node.args) == 0 or node.all_input_nodes != [node.args[0]]:
        return None
    kind = network.kind(node)
    if kind is nn.MaxPool2d:
        return vars(network.module_of(node))
    if kind in (F.max_pool2d, torch.max_pool2d):
        return dict(zip(_ARGUMENTS, node.args, strict=False)) | node.kwargs
    return None


def tile_poolings(graph: fx.Graph, network: Network) -> None:
    """Make every max pooling whose windows lie side by side a call of `max_of_tiles`."""
    for node in graph.nodes:
        options = pool_options(node, network)
        tile = None if options is None else _tile(options)
        if tile is not None:
            (source,) = node.all_input_nodes
            node.op, node.target, node.args, node.kwargs = "call_function", max_of_tiles, (source, tile), {}


def _tile(options: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width of the windows."""
    size, stride, padding, gap = (
        _pair(options.get(name) or default)
        for name, default in (("kernel_size", 0), ("stride", 0), ("padding", 0), ("dilation", 1))
    )
    is_plain = (
        padding == (0, 0) and gap == (1, 1) and not options.get("ceil_mode") and not options.get("return_indices")
    )
    return size if is_plain and stride in (size, (0, 0)) else None


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def max_of_tiles(value: Tensor, tile: tuple[int, int]) -> Tensor:
    """The largest of each window of `value` [..., height, width]; NaN where a window has one."""
    for dim, length in zip((-2, -1), tile, strict=True):
        windows = value.shape[dim] // length
        whole = value.narrow(dim, 0, windows * length)
        best, *others = torch.unflatten(whole, dim, (windows, length)).unbind(dim)
        for other in others:
            best = torch.maximum(best, other)
        value = best
    return value


@dataclass(frozen=True)
class TiledPool:
    """One pooling, and the activation that it alone reads."""

    source: fx.Node
    """what is pooled"""
    tile: tuple[int, int]
    activation: fx.Node | None

    def __call__(self, network: Network, value_of: Callable[[fx.Node], Any]) -> Tensor:
        """The pooled and activated value."""
        pooled = max_of_tiles(value_of(self.source), self.tile)
        return pooled if self.activation is None else activate(self.activation, network, pooled)


def find_tiled(network: Network, nodes: Collection[fx.Node]) -> dict[fx.Node, TiledPool]:
    """The poolings among `nodes` that are run this way; the activations they take over need not be run."""
    found = {}
    for node in nodes:
        if node.target is not max_of_tiles:
            continue
        source, tile = node.args
        assert isinstance(source, fx.Node)
        assert isinstance(tile, tuple)
        size = _pair(tile)
        if source in nodes and len(source.users) == 1 and is_activation(source, network):
            found[node] = TiledPool(source.all_input_nodes[0], size, source)
        else:
            found[node] = TiledPool(source, size, None)
    return found
