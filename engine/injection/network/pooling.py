"""What a max pooling of a graph asks for, and whether its windows lie side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")


def pool_options(node: fx.Node, kind: object, module: nn.Module | None) -> Mapping[str, Any] | None:
    """The arguments of a max pooling by name, if the node is one; one that reads a size is not looked into.

    Args:
        node: of a graph.
        kind: what the node does, as `Network.kind` says it.
        module: that it calls, if it calls one.
    """
    if len(node.args) == 0 or node.all_input_nodes != [node.args[0]]:
        return None
    if kind is nn.MaxPool2d:
        return vars(module)
    if kind in (F.max_pool2d, torch.max_pool2d):
        return dict(zip(_ARGUMENTS, node.args, strict=False)) | node.kwargs
    return None


def tile_of(options: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width of the windows of a max pooling, if they lie side by side and nothing else is asked of it.

    >>> tile_of({"kernel_size": 2, "stride": 2})
    (2, 2)
    """
    size, stride, padding, gap = (
        pair_of(options.get(name) or default)
        for name, default in (("kernel_size", 0), ("stride", 0), ("padding", 0), ("dilation", 1))
    )
    is_plain = (
        padding == (0, 0) and gap == (1, 1) and not options.get("ceil_mode") and not options.get("return_indices")
    )
    return size if is_plain and stride in (size, (0, 0)) else None


def pair_of(value: Any) -> tuple[int, int]:
    """A size as torch takes it, one number or two, as two."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])
