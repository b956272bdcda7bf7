"""Max pooling whose windows lie side by side: in whatever memory layout its input has, without copying it.

An activation before it is run after it, on what is left: both are increasing, so that the result is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.injection.in_place import activate, is_activation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from torch import Tensor

    from engine.injection.graph import Network

_ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")


def pool_options(node: fx.Node, network: Network) -> Mapping[str, Any] | None:
    """The arguments of a max pooling by name, if the node is one."""
    if node.op == "call_module" and isinstance(network.modules[str(node.target)], nn.MaxPool2d):
        return vars(network.modules[str(node.target)])
    if node.op == "call_function" and node.target in (F.max_pool2d, torch.max_pool2d):
        return dict(zip(_ARGUMENTS, node.args, strict=False)) | node.kwargs
    return None


def tile_of_pool(node: fx.Node, network: Network) -> tuple[int, int] | None:
    """Height and width of the windows, if the node is such a pooling."""
    options = pool_options(node, network)
    if options is None:
        return None
    size, stride, padding, gap = (
        _pair(options.get(name) or default)
        for name, default in (("kernel_size", 0), ("stride", 0), ("padding", 0), ("dilation", 1))
    )
    is_plain = (
        padding == (0, 0) and gap == (1, 1) and not options.get("ceil_mode") and not options.get("return_indices")
    )
    return size if is_plain and stride in (size, (0, 0)) else None


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
    """The poolings among `nodes` that can be run this way; the activations they take over need not be run."""
    found = {}
    for node in nodes:
        tile = tile_of_pool(node, network)
        if tile is None:
            continue
        source = node.all_input_nodes[0]
        if source in nodes and len(source.users) == 1 and is_activation(source, network):
            found[node] = TiledPool(source.all_input_nodes[0], tile, source)
        else:
            found[node] = TiledPool(source, tile, None)
    return found


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def max_of_tiles(value: Tensor, tile: tuple[int, int]) -> Tensor:
    """The largest of each window of `value` [images, channels, height, width]; NaN where a window has one."""
    height, width = tile
    rows, columns = value.shape[2] // height, value.shape[3] // width
    corners = [
        value[:, :, top : rows * height : height, left : columns * width : width]
        for top in range(height)
        for left in range(width)
    ]
    best = corners[0]
    for corner in corners[1:]:
        best = torch.maximum(best, corner)
    return best
