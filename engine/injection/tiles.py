"""Max pooling whose windows lie side by side: in whatever memory layout its input has, without copying it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from engine.injection.graph import Network

_ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")


def tile_of_pool(node: fx.Node, network: Network) -> tuple[int, int] | None:
    """Height and width of the windows, if the node is such a pooling."""
    options: Mapping[str, Any]
    if node.op == "call_module" and isinstance(network.modules[str(node.target)], nn.MaxPool2d):
        options = vars(network.modules[str(node.target)])
    elif node.op == "call_function" and node.target in (F.max_pool2d, torch.max_pool2d):
        options = dict(zip(_ARGUMENTS, node.args, strict=False)) | node.kwargs
    else:
        return None
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
